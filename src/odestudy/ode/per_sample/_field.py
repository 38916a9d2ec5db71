"""f on flat states of some of a batch's samples, each evaluation counted for those that took part."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from odestudy.ode._control import Counter
from odestudy.ode._guard import Guard
from odestudy.ode._layout import matching, unflatten, with_autocast
from odestudy.ode._precision import wide
from odestudy.ode._problem import make_problem, needed
from odestudy.ode._state import State


def upload(values: np.ndarray, device: torch.device) -> Tensor:
    """The host's array on the device, without waiting for what the device does."""
    if values.dtype == np.float64 and wide(device) == torch.float32:
        values = values.astype(np.float32)
    return torch.from_numpy(values).to(device, non_blocking=True)


def download(values: Tensor) -> np.ndarray:
    """The device's numbers as float64 on the host, which waits for them."""
    return values.detach().cpu().numpy().astype(np.float64)


def for_samples(function: Callable[..., Any], samples: Tensor) -> Callable[..., Any]:
    """What `function` is for these samples alone: function.for_samples(samples), where it has that."""
    select = getattr(function, "for_samples", None)
    return function if select is None else select(samples)


@dataclass(frozen=True)
class SampleProblem:
    """f(t, y) with t of shape [B]; `y0` flat, shape [B, D]; `shapes` those of one sample's tensors."""

    f: Callable[[Tensor, Any], Any]
    y0: Tensor
    shapes: tuple[torch.Size, ...]
    is_tuple: bool
    params: tuple[Tensor, ...] | None
    module: nn.Module | None
    autocast: torch.dtype | None = None

    def needed_params(self) -> tuple[Tensor, ...]:
        """The parameters; raises ValueError where they are neither given nor found."""
        return needed(self.params)

    def restore(self, y: Tensor) -> State:
        """Flat states, shape [..., D], as the caller gave them."""
        parts = unflatten(y, self.shapes, leading=y.ndim - 1)
        return parts if self.is_tuple else parts[0]

    def flatten(self, state: Any, like: Tensor) -> Tensor:
        """f's output for states `like`, shape [n, D]; ValueError where it does not match them."""
        parts = state if self.is_tuple else (state,)
        wanted = [(len(like), *shape) for shape in self.shapes]
        if not (isinstance(parts, tuple | list) and all(isinstance(p, Tensor) for p in parts)):
            raise ValueError(f"f(t, y) gave {type(state).__name__}; it must match y")
        got = [tuple(p.shape) for p in parts]
        parts = [matching(p, like.dtype) for p in parts]
        if got != wanted:
            raise ValueError(
                f"f(t, y) gave {got} of {parts[0].dtype}; it must match y: {wanted} of {like.dtype}. In "
                "solve_batch y holds the samples still under way; an f that keeps something of each sample "
                "needs a method for_samples(samples) that gives f for those alone"
            )
        return torch.cat([p.reshape(len(like), -1) for p in parts], 1) if self.is_tuple else parts[0]


def make_sample_problem(
    f: Callable[[Tensor, Any], Any], y0: State, params: Iterable[Tensor] | nn.Module | None
) -> SampleProblem:
    """Checks and normalises; raises ValueError for states whose first dimension is not the samples'."""
    problem = make_problem(f, y0, params)
    dtypes = problem.layout.dtypes or ()
    if not set(dtypes) <= {torch.float32, torch.float64}:
        raise ValueError(
            f"solve_batch takes states of float32 or float64, got {', '.join(map(str, dtypes))}: use y0.float(), or "
            "torch.view_as_real for complex numbers"
        )
    parts = (y0,) if isinstance(y0, Tensor) else y0
    sizes = {part.shape[0] if part.ndim else None for part in parts}
    if len(sizes) != 1 or None in sizes:
        raise ValueError(
            "solve_batch needs the samples as first dimension of y0, the same in all of its tensors, got "
            f"{', '.join(str(tuple(p.shape)) for p in parts)}"
        )
    shapes = tuple(part.shape[1:] for part in parts)
    flat = torch.cat([part.reshape(len(part), s.numel()) for part, s in zip(parts, shapes, strict=True)], 1)
    is_tuple = not isinstance(y0, Tensor)
    return SampleProblem(f, flat, shapes, is_tuple, problem.params, problem.module, problem.autocast)


@dataclass
class Share:
    """How often f was evaluated for these samples together."""

    samples: np.ndarray
    calls: int = 0


class SampleField:
    """The slopes of the given samples' flat states, t of shape [n] and y of shape [n, D].

    Its evaluations are counted in a share of its own, added to `shares`.
    """

    def __init__(
        self,
        problem: SampleProblem,
        counter: Counter,
        shares: list[Share],
        samples: np.ndarray,
        guard: Guard | None = None,
    ) -> None:
        self.guard = guard or Guard()
        self.problem, self.counter, self.shares, self.samples = problem, counter, shares, samples
        device = problem.y0.device
        self.f = with_autocast(for_samples(problem.f, upload(samples, device)), device, problem.autocast)
        self.plain = not problem.is_tuple and len(problem.shapes[0]) == 1
        self.share = Share(samples)
        shares.append(self.share)

    def __call__(self, t: Tensor, y: Tensor) -> Tensor:
        self.counter.evaluation()
        self.share.calls += 1
        return self.guard(self._slope, t, y)

    def _slope(self, t: Tensor, y: Tensor) -> Tensor:
        slope = self.f(t, y if self.plain else self.problem.restore(y))
        if self.plain and isinstance(slope, Tensor) and slope.shape == y.shape:
            return matching(slope, y.dtype)
        return self.problem.flatten(slope, y).reshape(y.shape)

    def of(self, rows: np.ndarray) -> "SampleField":
        """The field of those samples that stand in these rows."""
        return SampleField(self.problem, self.counter, self.shares, self.samples[rows], self.guard)
