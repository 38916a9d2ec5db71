"""One training step of a net on one batch: its time and its memory."""

from __future__ import annotations

from torch import Tensor, nn

from odestudy.measure.clock import time_repeats
from odestudy.measure.memory import peak_mib, saved_for_backward_mib
from odestudy.nets.images import Classifier
from odestudy.runtime.outcome import Row


def loss_of(net: Classifier, x: Tensor, y: Tensor) -> Tensor:
    return nn.functional.cross_entropy(net(x), y)


def time_of(net: Classifier, x: Tensor, y: Tensor, repeats: int, device: str) -> Row:
    """Evaluations and time of a step forward and backward, without an optimizer's."""

    def step() -> None:
        net.zero_grad(set_to_none=True)
        loss_of(net, x, y).backward()

    net.take_nfe()
    step()
    forward, backward = net.take_nfe()
    row: Row = {"nfe_forward": forward, "nfe_backward": backward}
    return row | time_repeats(step, device, repeats=repeats)


def memory_and_time_of(net: Classifier, x: Tensor, y: Tensor, repeats: int, device: str) -> Row:
    """What autograd keeps, and the peak over the level before, in MiB; then the time."""
    row: Row = {
        "saved_mib": saved_for_backward_mib(lambda: loss_of(net, x, y)),
        "peak_mib": peak_mib(lambda: loss_of(net, x, y).backward(), device),
    }
    return row | time_of(net, x, y, repeats, device)
