"""CUDA graphs for the dynamics of a net that trains by the adjoint: the same kernels, launched all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from odestudy.nets.blocks import ODEBlock
from odestudy.nets.images import Classifier

Dynamics = Callable[[Tensor, Tensor], Tensor]
# With an explicit method an adjoint goes back through each evaluation before it makes the next. A graph has one place for
# what an evaluation keeps for the way back; a gradient that keeps many would find there what the last one left.
ADJOINTS = ("adjoint", "adjoint_seminorm")


def fit_for_graphs(net: Classifier) -> bool:
    """Whether the net integrates by an explicit method and an adjoint of ours."""
    from odestudy.ode import TABLEAUS

    if not isinstance(net.block, ODEBlock):
        return False
    solver = net.block.solver
    return solver.library == "odestudy" and solver.gradient in ADJOINTS and solver.method in TABLEAUS


@contextmanager
def launched_as_graphs(net: Classifier, x: Tensor) -> Iterator[None]:
    """While the net trains, launch each evaluation of its dynamics, and the way back through it, as a CUDA graph.

    A small net leaves a GPU waiting for the processor, which launches kernel after kernel. States of another shape or
    layout than those of x, and nets that do not train, are evaluated as ever.

    Args:
        net: one that is `fit_for_graphs`, on a GPU.
        x: a batch of images (n, c, h, w) there.
    """
    f: nn.Module = net.ode().f.f  # below its counter, which counts evaluations as ever
    with torch.no_grad():
        y = net.eval().stem(x)
    net.train()
    eager: Dynamics = f.forward
    graph = _captured(f, y)

    def forward(t: Tensor, state: Tensor) -> Tensor:
        if not f.training or state.shape != y.shape or state.stride() != y.stride():
            return eager(t, state)
        with torch._C.DisableTorchFunction():  # the graph's own memory is nothing that f depends on
            slope = graph(t, state)
        return slope.clone()  # the next evaluation overwrites it

    f.forward = forward  # for the time of the training
    try:
        yield
    finally:
        del f.forward


def _captured(f: nn.Module, y: Tensor) -> Dynamics:
    """f as a graph, with its buffers as they were: to capture it is to evaluate it some times."""
    before = [buffer.clone() for buffer in f.buffers()]
    state = y.clone().requires_grad_()
    graph: Any = torch.cuda.make_graphed_callables(_Held(f), (y.new_zeros(()), state))
    with torch.no_grad():
        for buffer, kept in zip(f.buffers(), before, strict=True):
            buffer.copy_(kept)
    return graph


class _Held(nn.Module):
    """f in a module of its own: torch puts a graph in the place of a module's `forward`, and f's own is still needed."""

    def __init__(self, f: nn.Module) -> None:
        super().__init__()
        self.f, self.eager = f, f.forward

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return self.eager(t, y)
