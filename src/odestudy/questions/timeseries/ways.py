"""Ways of solving one ODE for a batch whose samples are observed at different times."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from odestudy.integrate import Counted, Solver, integrate
from odestudy.questions.timeseries.latent import hermite
from odestudy.questions.timeseries.recurrent import Autonomous
from odestudy.runtime.outcome import NumericalFailure


class Rows(nn.Module):
    """A field of one seed's net on states (N, L)."""

    def __init__(self, widths: tuple[int, ...], seed: int, strength: float) -> None:
        super().__init__()
        self.f = Autonomous([torch.Generator().manual_seed(seed)], widths)
        with torch.no_grad():
            for p in self.parameters():
                p.mul_(strength)

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return self.f(t, y[None])[0]


def loop(f: nn.Module, y0: Tensor, t: Tensor, solver: Solver) -> Tensor:
    """One solve a sample, (N, L) and (N, n) to (N, n, L)."""
    return torch.stack([integrate(f, y[None], times, solver)[:, 0] for y, times in zip(y0, t, strict=True)])


def union(f: nn.Module, y0: Tensor, t: Tensor, solver: Solver) -> Tensor:
    """One solve that reports all samples at all samples' times, of which each sample takes its own."""
    times, index = torch.unique(t, return_inverse=True)
    states = integrate(f, y0, times, solver)
    return states[index, torch.arange(len(y0), device=t.device)[:, None]]


def per_sample(f: nn.Module, y0: Tensor, t: Tensor, solver: Solver) -> Tensor:
    """One solve in which each sample has steps, times and an end of its own."""
    from odestudy.ode import solve_batch

    solution = solve_batch(f, y0, t, method=solver.method, rtol=solver.rtol, atol=solver.atol, throw=False)
    if solution.status != "ok":
        raise NumericalFailure(solution.status, solution.message)
    assert isinstance(solution.ys, Tensor), "one tensor in, one tensor out"
    return solution.ys.transpose(0, 1)


def shared_steps(f: nn.Module, y0: Tensor, t: Tensor, solver: Solver) -> Tensor:
    """One solve on equal RK4 steps that all samples share, read off its cubics; what the latent ODE trains with."""
    assert solver.step is not None, "equal steps need their size"
    h = solver.step
    count = max(1, math.ceil(float(t.max()) / h - 1e-9))
    grid = torch.arange(count + 1, dtype=y0.dtype, device=y0.device) * h
    states = integrate(f, y0, grid, Solver(method="rk4"))
    slopes = torch.stack([f(s, y) for s, y in zip(grid, states, strict=True)])
    index = (t / h).floor().long().clamp(0, count - 1)
    return hermite(
        states.transpose(0, 1)[None], slopes.transpose(0, 1)[None], index[None], (t / h - index)[None], h
    )[0]


WAYS: dict[str, Callable[[Any, Tensor, Tensor, Solver], Tensor]] = {
    "loop": loop,
    "union": union,
    "per_sample": per_sample,
    "shared_steps": shared_steps,
}


def gradient_step(way: str, f: Counted, y0: Tensor, t: Tensor, solver: Solver) -> Tensor:
    """The states at all times, after a backward pass through their sum of squares."""
    f.zero_grad(set_to_none=True)
    states = WAYS[way](f, y0, t, solver)
    states.square().sum().backward()
    return states.detach()
