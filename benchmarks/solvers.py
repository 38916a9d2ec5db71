"""Our solvers beside their peers, measured in one run: python benchmarks/solvers.py [--workloads mlp1,cnf] [--csv FILE].

Each row is one training step, forward and backward, at the same tolerance: median and quartiles of the wall time, the
ratio to the floor (as many bare evaluations of f, forward and backward), the ratio to torchdiffeq's step of the same
kind, and the relative error of the gradient against a float64 oracle. Rows of one workload are measured in turns, so
that what else the machine does falls on all of them.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import torchdiffeq
from workloads import WORKLOADS, Workload

from odestudy import ode


@dataclass(frozen=True)
class Contender:
    """One way to make a training step; `kind` says which of torchdiffeq's it is held against."""

    name: str
    kind: str
    step: Callable[[Workload], Any]


def _drop_in(package: Any, name: str, **options: Any) -> Callable[[Workload], Any]:
    def step(w: Workload) -> None:
        w.f.zero_grad(set_to_none=True)
        odeint = getattr(package, name)
        w.loss(odeint(w.f, w.y0, w.t, rtol=w.rtol, atol=w.atol, method="dopri5", **options)).backward()

    return step


def _ours(gradient: str) -> Callable[[Workload], Any]:
    def step(w: Workload) -> ode.Stats:
        w.f.zero_grad(set_to_none=True)
        solution = ode.solve(w.f, w.y0, w.t, rtol=w.rtol, atol=w.atol, method="dopri5", gradient=gradient)
        w.loss(solution.raise_on_failure().ys).backward()
        return solution.stats

    return step


def _torchode(w: Workload) -> None:
    import torchode

    if not isinstance(w.y0, torch.Tensor) or w.y0.ndim != 2:
        raise ValueError("torchode takes states of shape (batch, features)")
    w.f.zero_grad(set_to_none=True)
    term = torchode.ODETerm(w.f)
    controller = torchode.IntegralController(atol=w.atol, rtol=w.rtol, term=term)
    solver = torchode.AutoDiffAdjoint(torchode.Dopri5(term=term), controller)
    problem = torchode.InitialValueProblem(y0=w.y0, t_eval=w.t.expand(len(w.y0), -1))
    w.loss(solver.solve(problem).ys.transpose(0, 1)).backward()


SEMINORM = {"adjoint_options": {"norm": "seminorm"}}
CONTENDERS = (
    Contender("torchdiffeq", "backprop", _drop_in(torchdiffeq, "odeint")),
    Contender("ours", "backprop", _drop_in(ode, "odeint")),
    Contender("torchode", "backprop", _torchode),
    Contender("torchdiffeq, adjoint", "adjoint", _drop_in(torchdiffeq, "odeint_adjoint")),
    Contender("torchdiffeq, seminorm", "adjoint", _drop_in(torchdiffeq, "odeint_adjoint", **SEMINORM)),
    Contender("ours, adjoint", "adjoint", _drop_in(ode, "odeint_adjoint")),
    Contender("ours, seminorm", "adjoint", _drop_in(ode, "odeint_adjoint", **SEMINORM)),
    Contender("ours, quadrature", "memory", _ours("quadrature")),
    Contender("ours, checkpointed", "memory", _ours("checkpointed")),
)


def measure(w: Workload, contenders: list[Contender], repeats: int) -> pd.DataFrame:
    """One row a contender, all of them timed in turns."""
    oracle = w.oracle()
    nfe = _ours("backprop")(w).nfe
    rows: dict[str, dict[str, Any]] = {}
    steps: dict[str, Callable[[], Any]] = {"floor": lambda: w.floor(nfe)}
    for contender in contenders:
        try:
            contender.step(w)
        except ValueError as reason:
            print(f"{w.name}: {contender.name} is left out: {reason}")
            continue
        error = float((w.gradient() - oracle).norm() / oracle.norm())
        rows[contender.name] = {"kind": contender.kind, "gradient_error": error}
        steps[contender.name] = lambda c=contender: c.step(w)
    times: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(repeats + 2):  # the first two are the warm-up
        for name, step in steps.items():
            begun = _now(w.t.device)
            step()
            if turn >= 2:
                times[name].append(_now(w.t.device) - begun)
    floor = statistics.median(times["floor"])
    found = [
        {"workload": w.name, "contender": "floor", "kind": "floor", **_spread(times["floor"]), "nfe": nfe}
    ]
    for name, row in rows.items():
        peer = {"backprop": "torchdiffeq"}.get(row["kind"], "torchdiffeq, adjoint")
        median = statistics.median(times[name])
        ratios = {"to_floor": median / floor, "speedup": statistics.median(times[peer]) / median}
        found.append({"workload": w.name, "contender": name, **row, **_spread(times[name]), **ratios})
    return pd.DataFrame(found)


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _spread(times: list[float]) -> dict[str, float]:
    low, _, high = statistics.quantiles(times, n=4)
    return {"median_ms": 1e3 * statistics.median(times), "q1_ms": 1e3 * low, "q3_ms": 1e3 * high}


def main() -> None:
    parser = argparse.ArgumentParser(description="Our ODE solvers beside their peers.")
    parser.add_argument("--workloads", default=",".join(WORKLOADS), help=f"of {', '.join(WORKLOADS)}")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--csv", type=Path, default=None, help="also write the rows to this file")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    contenders = [c for c in CONTENDERS if c.name != "torchode" or find_spec("torchode")]
    if len(contenders) < len(CONTENDERS):
        print("missing: torchode (pip install torchode)")
    tables = []
    for name in options.workloads.split(","):
        if name not in WORKLOADS:
            parser.error(f"unknown workload {name!r}; known: {', '.join(WORKLOADS)}")
        w = WORKLOADS[name](torch.float32, torch.device(options.device))
        tables.append(measure(w, contenders, options.repeats))
        shown = {"median_ms": "{:.2f}", "q1_ms": "{:.2f}", "q3_ms": "{:.2f}", "to_floor": "{:.2f}"}
        shown |= {"speedup": "{:.2f}", "gradient_error": "{:.1e}"}
        formatters: Any = {k: v.format for k, v in shown.items()}
        print(tables[-1].to_string(index=False, na_rep="", formatters=formatters), "\n", flush=True)
    if options.csv:
        pd.concat(tables).to_csv(options.csv, index=False)


if __name__ == "__main__":
    main()
