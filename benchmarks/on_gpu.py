"""Our solver beside torchdiffeq's on a device, in about a minute.

    python benchmarks/on_gpu.py --csv FILE [--device cuda] [--budget 45]

Each row is one training step, forward and backward: a small MLP and a convolutional net, adaptive (dopri5) and on a
given grid (rk4). Rows of one workload are measured in turns. `floor` is as many bare evaluations of f as our eager
step takes, forward and backward. Graphed is a CUDA graph of the whole step on the given grid, compiled is
solve(compile=...): both on a GPU only, or where --compiled asks for it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import torchdiffeq
from torch import Tensor, nn
from workloads import WORKLOADS, Workload

from odestudy import ode

WARM_UP, LEAST = 3, 5
STEPS = {"mlp1": 40, "mlp256": 40, "conv": 8}  # of the given grid
Loss = Callable[[], Tensor]


@dataclass(frozen=True)
class Case:
    """One way to take a training step: the loss, whose gradient is then back-propagated."""

    steps: str
    contender: str
    loss: Loss


class OnGrid(nn.Module):
    """The states at the grid's times, as one function of the initial value, fit for a CUDA graph."""

    def __init__(self, w: Workload, grid: list[float]) -> None:
        super().__init__()
        self.f, self.grid = w.f, grid

    def forward(self, y0: Tensor) -> Tensor:
        return ode.solve(self.f, y0, self.grid, method="rk4").ys


def cases(w: Workload, compiled: bool) -> list[Case]:
    """What is measured on this workload."""
    given: dict[str, Any] = {"rtol": w.rtol, "atol": w.atol, "method": "dopri5"}
    grid = torch.linspace(float(w.t[0]), float(w.t[-1]), STEPS[w.name] + 1)
    on_device, points = grid.to(w.t.device), grid.tolist()
    found = [
        Case("adaptive", "torchdiffeq", lambda: w.loss(torchdiffeq.odeint(w.f, w.y0, w.t, **given))),
        Case("adaptive", "ours", lambda: w.loss(ode.solve(w.f, w.y0, w.t, **given).ys)),
        Case("grid", "torchdiffeq", lambda: w.loss(torchdiffeq.odeint(w.f, w.y0, on_device, method="rk4"))),
        Case("grid", "ours", lambda: w.loss(ode.solve(w.f, w.y0, points, method="rk4").ys)),
    ]
    if w.t.device.type == "cuda":
        graphed: Any = torch.cuda.make_graphed_callables(OnGrid(w, points), (w.y0,))
        found.append(Case("grid", "ours, graphed", lambda: w.loss(graphed(w.y0))))
    if compiled and w.name.startswith("mlp"):
        found.append(
            Case(
                "adaptive",
                "ours, compiled",
                lambda: w.loss(ode.solve(w.f, w.y0, w.t, compile=True, **given).ys),
            )
        )
    return found


def measured(w: Workload, compiled: bool, repeats: int, budget_s: float) -> list[dict[str, Any]]:
    """One row a case: quartiles of its time, its gradient's distance to torchdiffeq's."""
    rows, steps = list[dict[str, Any]](), list[Callable[[], None]]()
    for case in cases(w, compiled):
        step = _step(w, case.loss)
        begun = _now(w)
        step()
        first_s, gradient = _now(w) - begun, w.gradient()
        row = {"workload": w.name, "steps": case.steps, "contender": case.contender, "first_s": first_s}
        reference = next((r["gradient"] for r in rows if r["steps"] == case.steps), gradient)
        difference = float((gradient - reference).norm() / reference.norm())
        rows.append({**row, "gradient": gradient, "gradient_difference": difference})
        steps.append(step)
    with torch.no_grad():
        nfe = ode.solve(w.f, w.y0, w.t, rtol=w.rtol, atol=w.atol, method="dopri5").stats.nfe
    for kind, count in (("adaptive", nfe), ("grid", 4 * STEPS[w.name])):
        rows.append({"workload": w.name, "steps": kind, "contender": "floor", "nfe": count})
        steps.append(lambda count=count: w.floor(count))  # type: ignore[misc]
    for row, times in zip(rows, _in_turns(w, steps, repeats, budget_s), strict=True):
        row.pop("gradient", None)
        low, middle, high = statistics.quantiles(times, n=4, method="inclusive")
        row |= {"median_ms": 1e3 * middle, "q1_ms": 1e3 * low, "q3_ms": 1e3 * high, "repeats": len(times)}
    for row in rows:
        same = {r["contender"]: r["median_ms"] for r in rows if r["steps"] == row["steps"]}
        row |= {
            "speedup": same["torchdiffeq"] / row["median_ms"],
            "to_floor": row["median_ms"] / same["floor"],
        }
    return rows


def _step(w: Workload, loss: Loss) -> Callable[[], None]:
    def step() -> None:
        w.f.zero_grad(set_to_none=True)
        loss().backward()

    return step


def _now(w: Workload) -> float:
    if w.t.device.type == "cuda":
        torch.cuda.synchronize(w.t.device)
    return time.perf_counter()


def _in_turns(
    w: Workload, steps: list[Callable[[], None]], repeats: int, budget_s: float
) -> list[list[float]]:
    times: list[list[float]] = [[] for _ in steps]
    begun = time.perf_counter()
    for turn in range(WARM_UP + repeats):
        if turn >= WARM_UP + LEAST and time.perf_counter() - begun > budget_s:
            break
        for step, found in zip(steps, times, strict=True):
            started = _now(w)
            step()
            if turn >= WARM_UP:
                found.append(_now(w) - started)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description="Our ODE solver beside torchdiffeq's on a device.")
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workloads", default=",".join(STEPS), help=f"of {', '.join(STEPS)}")
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--budget", type=float, default=30.0, help="seconds, for all workloads together")
    parser.add_argument(
        "--compiled", action="store_true", help="also measure compiled steps, which take long to make"
    )
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    names, rows = options.workloads.split(","), []
    device = torch.device(options.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "the host"
    for workload in names:
        w = WORKLOADS[workload](torch.float32, device)
        found = measured(w, options.compiled, options.repeats, options.budget / len(names))
        rows += [{"device": name, "torch": torch.__version__, **row} for row in found]
        options.csv.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows).to_csv(options.csv, index=False, float_format="%.6g")
    columns = ["workload", "steps", "contender", "median_ms", "speedup", "to_floor", "gradient_difference"]
    print(pd.DataFrame(rows)[columns].to_string(index=False, float_format="{:.4g}".format))


if __name__ == "__main__":
    main()
