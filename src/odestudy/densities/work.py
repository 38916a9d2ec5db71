"""Counted work: vector-Jacobian products and floating-point operations of the formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from odestudy.densities.fields import RightHandSide
from odestudy.densities.operations import lu_flops
from odestudy.densities.transport import FORMULAS, Grid

PROBES = {"rademacher1": 1, "rademacher10": 10, "gaussian1": 1, "gaussian10": 10}


class _Flops(TorchDispatchMode):
    """Adds up torch's own formulas; its FlopCounterMode also tracks modules, which torch.func cannot bear."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.total += formula(*args, **(kwargs or {}), out_val=out)
        return out


def counted_flops(work: Callable[[], Any]) -> int:
    """Operations of the matrix products that `work` does; a multiply-add is two."""
    with _Flops() as counter:
        work()
    return int(counter.total)


def step_vjps(formula: str, d: int, stages: int) -> int:
    """Products with the Jacobian of f that one step needs: the step's own Jacobian takes d through every stage."""
    return stages * PROBES.get(formula, d)


def step_flops(f: RightHandSide, x: Tensor, method: str, formula: str) -> float:
    """Operations of one step for one sample: counted products, and elimination for the determinant."""
    grid = Grid(method, 1)
    rule, (span,) = FORMULAS[formula](), grid.spans(x)
    rule.start(x)
    with torch.no_grad():
        counted = counted_flops(lambda: rule.step(f, grid.stepper, span, x)) / len(x)
    return counted + (lu_flops(x.shape[1]) if formula == "logdet" else 0.0)
