"""One step size for the batch, or one for each sample: python benchmarks/per_sample.py [--csv FILE].

Batches that mix slow samples with fast ones, at equal tolerance: the largest and the median error over the samples
against a float64 oracle at 1e-12, the rows that f evaluated for each sample, and the time of a solve and of a training
step on one thread of the CPU, medians and quartiles of the process's own time, measured in turns. torchode (Lienen,
Günnemann 2022) also keeps a step size for each sample, and evaluates all of them until the last is done.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor, nn

from odestudy.ode import solve, solve_batch


class VanDerPol(nn.Module):
    """x'' = mu (1 - x^2) x' - x, the sample's own mu a part of its state that stays; `scale` is to be learnt."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        x, v, mu = y.unbind(-1)
        return torch.stack([v, self.scale * mu * (1 - x * x) * v - x, torch.zeros_like(mu)], -1)


class Decay(nn.Module):
    """y' = -rate y, the sample's own rate a part of its state that stays; `scale` is to be learnt."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        x, rate = y.unbind(-1)
        return torch.stack([-self.scale * rate * x, torch.zeros_like(rate)], -1)


class Relaxation(nn.Module):
    """y' = speed (net(y) - y), a wide net whose evaluations cost by the row; speed is the last entry and stays."""

    def __init__(self, dim: int = 16, width: int = 512) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(
            nn.Linear(dim, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, dim)
        )

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        x, speed = y[:, :-1], y[:, -1:]
        return torch.cat([speed * (self.net(x) - x), torch.zeros_like(speed)], 1)


@dataclass(frozen=True)
class Workload:
    """f, initial states [B, D], observation times [T], tolerance (rtol = atol)."""

    name: str
    f: nn.Module
    y0: Tensor
    t: Tensor
    tol: float


def _van_der_pol(batch: int) -> Workload:
    mu = torch.logspace(-1, 1.7, batch)
    y0 = torch.stack([torch.full_like(mu, 2.0), torch.zeros_like(mu), mu], 1)
    return Workload("van_der_pol, mu 0.1 to 50", VanDerPol(), y0, torch.linspace(0, 5, 11), 1e-6)


def _decay(batch: int) -> Workload:
    rates = torch.logspace(-1, 1.7, batch)
    return Workload(
        "decay, rates 0.1 to 50",
        Decay(),
        torch.stack([torch.ones(batch), rates], 1),
        torch.linspace(0, 5, 11),
        1e-6,
    )


def _relaxation(batch: int) -> Workload:
    f, speeds = Relaxation(), torch.logspace(-1, 1.7, batch)
    y0 = torch.cat([torch.randn(batch, 16), speeds[:, None]], 1)
    return Workload("wide net, speeds 0.1 to 50", f, y0, torch.linspace(0, 2, 5), 1e-6)


def _ours(per_sample: bool) -> Callable[[Workload, nn.Module], Tensor]:
    def states(w: Workload, f: nn.Module) -> Tensor:
        solution = (solve_batch if per_sample else solve)(f, w.y0, w.t, rtol=w.tol, atol=w.tol)
        assert isinstance(solution.ys, Tensor), "one tensor in, one tensor out"
        return solution.ys

    return states


def _torchode(w: Workload, f: nn.Module) -> Tensor:
    import torchode

    term = torchode.ODETerm(f)
    controller = torchode.IntegralController(atol=w.tol, rtol=w.tol, term=term)
    solver = torchode.AutoDiffAdjoint(
        torchode.Dopri5(term=term), controller, backprop_through_step_size_control=False
    )
    problem = torchode.InitialValueProblem(y0=w.y0, t_eval=w.t.expand(len(w.y0), -1).contiguous())
    return solver.solve(problem).ys.transpose(0, 1)


CONTENDERS: dict[str, Callable[[Workload, nn.Module], Tensor]] = {
    "ours, per_sample": _ours(True),
    "ours, one step size": _ours(False),
    "torchode": _torchode,
}


class Counted(nn.Module):
    """f, with the rows counted that it evaluates."""

    def __init__(self, f: nn.Module) -> None:
        super().__init__()
        self.f, self.rows = f, 0

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        self.rows += len(y)
        return self.f(t, y)


def measure(
    w: Workload, contenders: dict[str, Callable[[Workload, nn.Module], Tensor]], repeats: int
) -> pd.DataFrame:
    """One row a contender."""
    exact = solve_batch(w.f, w.y0, w.t, method="dopri8", rtol=1e-12, atol=1e-12).ys
    rows, times = {}, {name: ([], []) for name in contenders}
    for name, states in contenders.items():
        counted = Counted(w.f)
        with torch.no_grad():
            errors = (states(w, counted) - exact).abs().amax((0, 2))
        rows[name] = {
            "error_max": float(errors.max()),
            "error_median": float(errors.median()),
            "evaluations_per_sample": counted.rows / len(w.y0),
        }
    for turn in range(repeats + 1):  # the first is the warm-up
        for name, states in contenders.items():
            spent = _forward(states, w), _training_step(states, w)
            if turn:
                for kept, seconds in zip(times[name], spent, strict=True):
                    kept.append(1e3 * seconds)
    found = []
    for name, row in rows.items():
        for what, spent in zip(("solve", "train"), times[name], strict=True):
            low, _, high = statistics.quantiles(spent, n=4)
            row |= {f"{what}_ms": statistics.median(spent), f"{what}_q1_ms": low, f"{what}_q3_ms": high}
        found.append({"workload": w.name, "batch": len(w.y0), "tolerance": w.tol, "contender": name, **row})
    return pd.DataFrame(found)


def _forward(states: Callable[[Workload, nn.Module], Tensor], w: Workload) -> float:
    begun = time.process_time()
    with torch.no_grad():
        states(w, w.f)
    return time.process_time() - begun


def _training_step(states: Callable[[Workload, nn.Module], Tensor], w: Workload) -> float:
    begun = time.process_time()
    w.f.zero_grad(set_to_none=True)
    states(w, w.f).square().mean().backward()
    return time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description="One step size for the batch, or one for each sample.")
    parser.add_argument("--batches", default="16,64", help="numbers of samples")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--csv", type=Path, default=None, help="also write the rows to this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    contenders = dict(CONTENDERS)
    if not find_spec("torchode"):
        del contenders["torchode"]
        print("missing: torchode (pip install torchode)")
    tables = []
    for batch in map(int, options.batches.split(",")):
        for make in (_decay, _van_der_pol, _relaxation):
            tables.append(measure(make(batch), contenders, options.repeats))
            print(tables[-1].to_string(index=False, float_format="{:.3g}".format), "\n", flush=True)
    if options.csv:
        options.csv.parent.mkdir(parents=True, exist_ok=True)
        pd.concat(tables).to_csv(options.csv, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
