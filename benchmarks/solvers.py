"""Our solvers beside their peers, measured in one run.

    python benchmarks/solvers.py [--workloads mlp1,cnf] [--csv FILE]     measure
    python benchmarks/solvers.py --csv FILE --page benchmarks/README.md
                                                                         write a file's page, measure nothing

Each row is one training step, forward and backward, at the same tolerance: median and quartiles of the wall time, the
ratio to the floor (as many bare evaluations of f, forward and backward), the ratio to torchdiffeq's step of the same
kind, and the relative error of the gradient against a float64 oracle. Rows of one workload are measured in turns, so
that what else the machine does falls on all of them. The first step, in which compilers compile, is timed apart.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import peers
import torch
import torchdiffeq
from timing import Contender, measure, profile
from torch import Tensor
from workloads import WORKLOADS, Workload

from odestudy import ode
from odestudy.measure.device import processor
from odestudy.report.solver_times import write_page


def ours(
    gradient: str = "backprop", compile: bool = False, method: str = "dopri5"
) -> Callable[[Workload], peers.Training]:
    """Our `solve`, whose evaluations its statistics count."""

    def make(w: Workload) -> peers.Training:
        last: list[ode.Solution] = []

        def loss() -> Tensor:
            solution = ode.solve(
                w.f, w.y0, w.t, rtol=w.rtol, atol=w.atol, method=method, gradient=gradient, compile=compile
            )
            last[:] = [solution]
            return w.loss(solution.raise_on_failure().ys)

        def nfe() -> tuple[int, int]:
            return last[0].stats.nfe, last[0].stats.nfe_backward

        made = peers.training(w, loss)
        return peers.Training(made.step, made.gradient, nfe)

    return make


SEMINORM = {"adjoint_options": {"norm": "seminorm"}}
CONTENDERS = (
    Contender("torchdiffeq", "torchdiffeq", "backprop", peers.drop_in(torchdiffeq, "odeint")),
    Contender("torchode", "torchode", "backprop", peers.torchode),
    Contender("torchdyn", "torchdyn", "backprop", peers.torchdyn),
    Contender("diffrax, jit", "diffrax", "backprop", peers.diffrax),
    Contender("ours", "odestudy", "backprop", peers.drop_in(ode, "odeint")),
    Contender("ours, compiled", "odestudy", "backprop", ours(compile=True), without=("conv",)),
    Contender("torchdiffeq, adjoint", "torchdiffeq", "adjoint", peers.drop_in(torchdiffeq, "odeint_adjoint")),
    Contender(
        "torchdiffeq, adjoint, seminorm",
        "torchdiffeq",
        "adjoint",
        peers.drop_in(torchdiffeq, "odeint_adjoint", **SEMINORM),
        without=("conv",),
    ),
    Contender("ours, adjoint", "odestudy", "adjoint", peers.drop_in(ode, "odeint_adjoint")),
    Contender(
        "ours, adjoint, seminorm",
        "odestudy",
        "adjoint",
        peers.drop_in(ode, "odeint_adjoint", **SEMINORM),
        without=("conv",),
    ),
    Contender("ours, quadrature", "odestudy", "memory", ours("quadrature")),
    Contender("ours, checkpointed", "odestudy", "memory", ours("checkpointed")),
    Contender(
        "ours, reversible",
        "odestudy",
        "memory",
        ours("reversible", method="reversible_dopri5"),
        without=("conv",),
    ),
)

NAMES = tuple(c.name for c in CONTENDERS)


def about(
    threads: int, device: str, versions: Mapping[str, str], missing: Mapping[str, str]
) -> dict[str, Any]:
    """What was measured where."""
    name = torch.cuda.get_device_name() if device == "cuda" else processor()
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "device": name,
        "cores": len(os.sched_getaffinity(0)),
        "threads": threads,
        "versions": {"python": platform.python_version(), "torch": torch.__version__, **versions},
        "missing": dict(missing),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Our ODE solvers beside their peers.")
    parser.add_argument("--workloads", default=",".join(WORKLOADS), help=f"of {', '.join(WORKLOADS)}")
    parser.add_argument(
        "--contenders", default=None, help="separated by ;, all by default: " + "; ".join(NAMES)
    )
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--budget", type=float, default=60.0, help="seconds for one workload's turns")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--csv", type=Path, default=None, help="also write the rows to this file")
    parser.add_argument("--page", type=Path, default=None, help="write the page of --csv, measure nothing")
    options = parser.parse_args()
    if options.page:
        if options.csv is None:
            parser.error("--page needs --csv, the file that it shows")
        write_page(options.csv, options.page)
        return
    wanted = NAMES if options.contenders is None else tuple(options.contenders.split(";"))
    if unknown := set(wanted) - set(NAMES):
        parser.error(f"unknown contenders {', '.join(sorted(unknown))}; known: {'; '.join(NAMES)}")
    versions, missing = peers.load(options.threads)
    for name, reason in missing.items():
        print(f"missing: {name} ({reason})")
    tables, profiles = [], []
    found = about(options.threads, options.device, versions, missing)
    for name in options.workloads.split(","):
        if name not in WORKLOADS:
            parser.error(f"unknown workload {name!r}; known: {', '.join(WORKLOADS)}")
        contenders = [
            c for c in CONTENDERS if c.library not in missing and name not in c.without and c.name in wanted
        ]
        w = WORKLOADS[name](torch.float32, torch.device(options.device))
        tables.append(measure(w, contenders, options.repeats, options.budget))
        profiles.append(profile(w, options.repeats))
        print(tables[-1].to_string(index=False, na_rep="", float_format="{:.4g}".format), "\n", flush=True)
        if options.csv:  # after each workload, so that none is lost if a later one fails
            write_run(options.csv, pd.concat(tables), {**found, "profiles": profiles})


def write_run(csv: Path, rows: pd.DataFrame, about: dict[str, Any]) -> None:
    """The rows, and in a JSON file beside them what they were measured on and the load of the machine meanwhile."""
    csv.parent.mkdir(parents=True, exist_ok=True)
    rows.to_csv(csv, index=False, float_format="%.6g")
    about = {**about, "load": [round(x, 1) for x in os.getloadavg()]}
    csv.with_suffix(".json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
