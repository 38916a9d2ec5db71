"""One step size for batches that mix slow and fast samples, against one for each sample (claim C26)."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor, nn

from odestudy.integrate import Counted, Solver, integrate
from odestudy.learning.attempt import attempt
from odestudy.measure.clock import now_s
from odestudy.ode import Solution, solve, solve_batch
from odestudy.questions.gradients.gradient import missing
from odestudy.questions.gradients.params import Batch
from odestudy.runtime.outcome import NumericalFailure, Outcome, Row


class Oscillators(nn.Module):
    """z' = w J z for samples z in the plane, each with its own frequency w; states (batch, 2)."""

    def __init__(self, frequencies: Tensor) -> None:
        super().__init__()
        self.w = frequencies

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return self.w[:, None] * torch.stack([-y[:, 1], y[:, 0]], -1)

    def for_samples(self, index: Tensor) -> Oscillators:
        """f for some of the samples alone."""
        return Oscillators(self.w[index])


def batch(params: Batch, device: str) -> Outcome:
    """A seed draws a batch: phases, and frequencies to within a half of what is given.

    Rows `runs`: one a seed, number of fast samples, tolerance and way to choose the step that can run here.
    """
    here = [name for name in params.batchings if name != "torchode" or not missing("torchode_backprop")]
    rows = []
    for seed, fast, rtol, batching in product(params.seeds, params.fast, params.tolerances, here):
        row: Row = {
            "seed": seed,
            "fast": fast,
            "rtol": rtol,
            "batching": batching,
            "times_faster": params.fast_frequency / params.slow_frequency,
            "status": "ok",
            "message": "",
        }
        rows.append(row | attempt(_measure, batching, seed, fast, rtol, params))
    return Outcome({"runs": rows})


def draw(params: Batch, seed: int, fast: int) -> tuple[Tensor, Tensor]:
    """Frequencies and phases of a batch, the fast samples first; the same for any number of them. Shapes (samples,)."""
    generator = torch.Generator().manual_seed(seed)
    spread, turn = torch.rand(2, params.samples, generator=generator, dtype=torch.float64)
    frequencies = torch.full((params.samples,), params.slow_frequency, dtype=torch.float64)
    frequencies[:fast] = params.fast_frequency
    return frequencies * (0.5 + spread), 2 * math.pi * turn


def _measure(batching: str, seed: int, fast: int, rtol: float, params: Batch) -> Row:
    frequencies, phase = draw(params, seed, fast)
    y0 = torch.stack([torch.cos(phase), torch.sin(phase)], -1)

    def work() -> tuple[Tensor, Tensor, int]:
        return BATCHINGS[batching](Oscillators(frequencies), y0, params.horizon, rtol)

    work()  # warm
    begun = now_s()
    ends, nfe, calls = work()
    took = now_s() - begun
    turned = phase + frequencies * params.horizon
    error = (ends - torch.stack([torch.cos(turned), torch.sin(turned)], -1)).norm(dim=1)
    return {
        "error_fast": float(error[:fast].max()),
        "error_slow": float(error[fast:].max()),
        "nfe_fast": float(nfe[:fast].double().mean()),
        "nfe_slow": float(nfe[fast:].double().mean()),
        "nfe_sample": float(nfe.double().mean()),
        "calls": calls,
        "wall_s": took,
    }


def _solve(
    f: nn.Module, y0: Tensor, horizon: float, rtol: float, by: Callable[..., Solution] = solve
) -> Solution:
    with torch.no_grad():
        found = by(f, y0, [0.0, horizon], rtol=rtol, atol=rtol / 100, throw=False)
    if found.status != "ok":
        raise NumericalFailure(found.status, found.message)
    return found


def shared(f: Oscillators, y0: Tensor, horizon: float, rtol: float) -> tuple[Tensor, Tensor, int]:
    """All samples as one ODE, whose error norm averages over them; end states, evaluations a sample, calls of f."""
    found = _solve(f, y0, horizon, rtol)
    return found.ys[-1], torch.full((len(y0),), found.stats.nfe), found.stats.nfe


def own_steps(f: Oscillators, y0: Tensor, horizon: float, rtol: float) -> tuple[Tensor, Tensor, int]:
    """One call for the whole batch, in which each sample has its own steps."""
    found = _solve(f, y0, horizon, rtol, by=solve_batch)
    assert found.samples is not None, "solved per sample"
    return found.ys[-1], found.samples.nfe, found.stats.nfe


def alone(f: Oscillators, y0: Tensor, horizon: float, rtol: float) -> tuple[Tensor, Tensor, int]:
    """One solve after the other: what a step size of one's own is held against."""
    index = torch.arange(len(y0))
    found = [_solve(f.for_samples(i), y0[i], horizon, rtol) for i in index.split(1)]
    nfe = torch.tensor([one.stats.nfe for one in found])
    return torch.cat([one.ys[-1] for one in found]), nfe, int(nfe.sum())


def torchode(f: Oscillators, y0: Tensor, horizon: float, rtol: float) -> tuple[Tensor, Tensor, int]:
    """The peer's steps for each sample; f sees all samples until the last of them is done."""
    counted = Counted(f)
    t = torch.tensor([0.0, horizon], dtype=y0.dtype)
    with torch.no_grad():
        ends = integrate(counted, y0, t, Solver(library="torchode", rtol=rtol, atol=rtol / 100))[-1]
    nfe, _ = counted.take()
    return ends, torch.full((len(y0),), nfe), nfe


BATCHINGS = {"shared": shared, "own_steps": own_steps, "alone": alone, "torchode": torchode}
