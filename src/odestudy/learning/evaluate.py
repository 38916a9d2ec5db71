"""Test errors and predictions of a trained net on images that it has not seen."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from odestudy.nets.images import Classifier


def evaluate(net: Classifier, x: Tensor, batch: int) -> tuple[Tensor, float]:
    """Logits (n, 10) of images (n, c, h, w), and the evaluations of f a batch (the limit holds for each batch)."""
    net.eval()
    net.take_nfe()
    logits, counts = [], []
    with torch.no_grad():
        for part in x.split(batch):
            logits.append(net(part))
            counts.append(net.take_nfe()[0])
    return torch.cat(logits), sum(counts) / len(counts)


def predict(net: Classifier, x: Tensor, batch: int) -> Tensor:
    """The logits alone."""
    return evaluate(net, x, batch)[0]


def error_pct(right: Tensor) -> float:
    """Share of the images (n,) that are not classified right."""
    return 100 * float((~right).double().mean())


def error_on(net: Classifier, part: tuple[Tensor, Tensor], batch: int) -> float:
    return error_pct(predict(net, part[0], batch).argmax(1) == part[1])


def error_with_batch_statistics(net: Classifier, part: tuple[Tensor, Tensor], batch: int) -> float | None:
    """Error in percent where every evaluation is normalised by its own batch, as in training; None without BatchNorm.

    An image's class then depends on the images beside it. The net itself keeps its running statistics.
    """
    if not any(isinstance(module, nn.BatchNorm2d) for module in net.modules()):
        return None
    own = copy.deepcopy(net).train()
    with torch.no_grad():
        found = torch.cat([own(x).argmax(1) for x in part[0].split(batch)])
    return error_pct(found == part[1])


@contextmanager
def solved_with(net: Classifier, **changes: Any) -> Iterator[Classifier]:
    """The same trained net under another solver."""
    block = net.ode()
    kept = block.solver
    block.solver = replace(kept, **changes)
    try:
        yield net
    finally:
        block.solver = kept


def accuracy_change_pct(error: float, refined: float) -> float:
    """The refinement gate's measure: change of the accuracy by refinement, relative to it; both errors in percent."""
    return 100 * abs(refined - error) / max(100 - error, 1e-9)


def mflop_an_image(net: Classifier, x: Tensor) -> float:
    """Operations (multiplications and additions) of the forward pass, in millions an image, over a batch x."""
    net.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(x)
    return counter.get_total_flops() / len(x) / 1e6
