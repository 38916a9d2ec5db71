"""Floating-point operations of what torch runs: those of matrix products and convolutions, which are nearly all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class Operations(TorchDispatchMode):
    """Counts while it is entered, under functorch and in backward passes, too: `total`.

    torch's FlopCounterMode has the same formulas, but follows modules, which an autograd.grad inside them does not bear.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        count = flop_registry.get(func._overloadpacket)
        if count is not None:
            self.total += int(count(*args, **(kwargs or {}), out_val=out))
        return out


def operations_of(work: Callable[[], Any]) -> int:
    """Floating-point operations of one call of `work`, a multiplication and an addition counted apart."""
    with Operations() as counted:
        work()
    return counted.total
