"""What is kept of the states at the observation times: all of them, the last one, or a function of each."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from odestudy.ode._observer import Observations
from odestudy.ode._problem import Problem
from odestudy.ode._solution import Solution

Kept = Callable[[float, Tensor], Any]  # of a time and a state as the solvers see it


def check_save(save: Any) -> None:
    """Raises ValueError for what says nothing of what to keep."""
    if not callable(save) and save not in ("all", "end"):
        raise ValueError(
            f"save must be 'all', 'end' or a callable save(t, y) that gives a tensor or a tuple of tensors, got {save!r}"
        )


def on_flat(save: Callable[[Tensor, Any], Any], problem: Problem) -> Kept:
    """save(t, y) on the state as the solvers see it."""

    def kept(t: float, y: Tensor) -> Any:
        return save(torch.as_tensor(t, dtype=y.dtype, device=y.device), problem.restore(y, leading=0))

    return kept


def stacked(values: Sequence[Any], missing: int = 0) -> Any:
    """What was kept at each time, in one tensor or a tuple of them, nan for the `missing` times at the end."""
    if isinstance(values[0], tuple):
        return tuple(stacked(parts, missing) for parts in zip(*values, strict=True))
    if not all(isinstance(value, Tensor) and value.shape == values[0].shape for value in values):
        got = [tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__ for value in values]
        raise ValueError(f"save(t, y) must give tensors of the same shape at each time, got {got}")
    kept = torch.stack(list(values))
    if not missing:
        return kept
    lost = kept.new_full((missing, *kept.shape[1:]), torch.nan if kept.is_floating_point() else 0)
    return torch.cat([kept, lost])


class Saved(Observations):
    """Keeps a function of each state, and not the states."""

    def __init__(self, kept: Kept, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.kept, self.values = kept, list[Any]()

    def _add(self, piece: Tensor, single: bool) -> None:
        for y in (piece,) if single else piece.unbind():
            self.values.append(self.kept(self.times[len(self.values)], y))

    def states(self, complete: bool = True) -> Any:
        """What was kept, stacked."""
        return stacked(self.values, len(self.times) - self.seen if complete else 0)


def reduced(solution: Solution[Any], save: Any, problem: Problem) -> Solution[Any]:
    """The solution with its last state alone, or with a function of each of its states."""
    parts = (solution.ys,) if isinstance(solution.ys, Tensor) else solution.ys
    if save == "end":
        last = tuple(part[-1] for part in parts)
        return replace(solution, ts=solution.ts[-1], ys=last[0] if isinstance(solution.ys, Tensor) else last)
    flat, kept = problem.layout.flatten(solution.ys, leading=1), on_flat(save, problem)
    times = solution.ts.detach().tolist()
    return replace(solution, ys=stacked([kept(t, y) for t, y in zip(times, flat, strict=True)]))
