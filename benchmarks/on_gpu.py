"""Our solver beside torchdiffeq's on a device, in about a minute.

    python benchmarks/on_gpu.py --csv FILE [--device cuda] [--budget 45]

Each row is one training step, forward and backward: a small MLP and a convolutional net, adaptive (dopri5) and on a
given grid (rk4). Rows of one workload are measured in turns. `floor` is as many bare evaluations of f as our eager
step takes, forward and backward. Graphed is a CUDA graph of the whole step on the given grid, compiled is
solve(compile=...), where --compiled asks for it. What a device can't do is left out with its reason.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import torchdiffeq
from peers import training
from timing import in_turns, timed
from torch import Tensor, nn
from workloads import WORKLOADS, Workload

from odestudy import ode

STEPS = {"mlp1": 40, "mlp256": 40, "conv": 8}  # of the given grid
Loss = Callable[[], Tensor]
COLUMNS = ["workload", "steps", "contender", "median_ms", "speedup", "to_floor", "gradient_difference"]


@dataclass(frozen=True)
class Case:
    """One way to take a training step; `make` gives the loss, whose gradient is then back-propagated."""

    steps: str
    contender: str
    make: Callable[[], Loss]


class OnGrid(nn.Module):
    """The states at the grid's times, as one function of the initial value, fit for a CUDA graph."""

    def __init__(self, w: Workload, grid: list[float]) -> None:
        super().__init__()
        self.f, self.grid = w.f, grid

    def forward(self, y0: Tensor) -> Tensor:
        return ode.solve(self.f, y0, self.grid, method="rk4").ys


def cases(w: Workload, graphed: bool, compiled: bool) -> list[Case]:
    """What is measured on this workload."""
    given: dict[str, Any] = {"rtol": w.rtol, "atol": w.atol, "method": "dopri5"}
    grid = torch.linspace(float(w.t[0]), float(w.t[-1]), STEPS[w.name] + 1)
    on_device, points = grid.to(w.t.device), grid.tolist()

    def in_graph() -> Loss:
        graph: Any = torch.cuda.make_graphed_callables(OnGrid(w, points), (w.y0,))
        return lambda: w.loss(graph(w.y0))

    found = [
        Case("adaptive", "torchdiffeq", lambda: lambda: w.loss(torchdiffeq.odeint(w.f, w.y0, w.t, **given))),
        Case("adaptive", "ours", lambda: lambda: w.loss(ode.solve(w.f, w.y0, w.t, **given).ys)),
        Case(
            "grid",
            "torchdiffeq",
            lambda: lambda: w.loss(torchdiffeq.odeint(w.f, w.y0, on_device, method="rk4")),
        ),
        Case("grid", "ours", lambda: lambda: w.loss(ode.solve(w.f, w.y0, points, method="rk4").ys)),
    ]
    if graphed:
        found.append(Case("grid", "ours, graphed", in_graph))
    if compiled and w.name.startswith("mlp"):
        with_compile = {**given, "compile": True}
        found.append(
            Case(
                "adaptive",
                "ours, compiled",
                lambda: lambda: w.loss(ode.solve(w.f, w.y0, w.t, **with_compile).ys),
            )
        )
    return found


def measured(w: Workload, some: list[Case], repeats: int, budget_s: float) -> list[dict[str, Any]]:
    """One row a case: quartiles of its time, its gradient's distance to torchdiffeq's."""
    rows, steps = list[dict[str, Any]](), list[Callable[[], None]]()
    references = dict[str, Tensor]()
    for case in some:
        try:
            step = training(w, case.make()).step
            first_s, gradient = timed(w.t.device, step), w.gradient()
        except (RuntimeError, ValueError) as reason:
            print(f"{w.name}: {case.contender} is left out: {reason}", flush=True)
            continue
        reference = references.setdefault(case.steps, gradient)
        difference = float((gradient - reference).norm() / reference.norm())
        row = {"workload": w.name, "steps": case.steps, "contender": case.contender, "first_s": first_s}
        rows.append({**row, "gradient_difference": difference})
        steps.append(step)
    with torch.no_grad():
        nfe = ode.solve(w.f, w.y0, w.t, rtol=w.rtol, atol=w.atol, method="dopri5").stats.nfe
    for kind, count in (("adaptive", nfe), ("grid", 4 * STEPS[w.name])):
        rows.append({"workload": w.name, "steps": kind, "contender": "floor", "nfe": count})
        steps.append(lambda count=count: w.floor(count))  # type: ignore[misc]  # a default binds the loop's value
    for row, spread in zip(rows, in_turns(w.t.device, steps, repeats, budget_s), strict=True):
        row |= spread
    for row in rows:
        same = {r["contender"]: r["median_ms"] for r in rows if r["steps"] == row["steps"]}
        row |= {
            "speedup": same.get("torchdiffeq", float("nan")) / row["median_ms"],
            "to_floor": row["median_ms"] / same["floor"],
        }
    return rows


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Our ODE solver beside torchdiffeq's on a device.")
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workloads", default=",".join(STEPS), help=f"of {', '.join(STEPS)}")
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--budget", type=float, default=30.0, help="seconds, for all workloads together")
    parser.add_argument("--graphed", action="store_true", help="measure CUDA graphs; on a GPU in any case")
    parser.add_argument(
        "--compiled", action="store_true", help="also measure compiled steps, which take long to make"
    )
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    names, rows = options.workloads.split(","), []
    device = torch.device(options.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "the host"
    for workload in names:
        w = WORKLOADS[workload](torch.float32, device)
        some = cases(w, options.graphed or device.type == "cuda", options.compiled)
        found = measured(w, some, options.repeats, options.budget / len(names))
        rows += [{"device": name, "torch": torch.__version__, **row} for row in found]
        options.csv.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows).to_csv(options.csv, index=False, float_format="%.6g")
    print(pd.DataFrame(rows)[COLUMNS].to_string(index=False, float_format="{:.4g}".format))


if __name__ == "__main__":
    main()
