"""Our stiff methods beside scipy's Radau and BDF: python benchmarks/stiff.py [--methods rodas5p,auto] [--csv FILE].

Each row is one solve of a stiff test problem at one tolerance: the error against reference values, accepted and
rejected steps, evaluations, Jacobians, LU factorizations and wall time. The summary gives geometric means over
problems and tolerances, over Radau's at the same tolerance. `auto` is also held against tsit5 and rodas5p on the
non-stiff problems of DETEST, by evaluations with Jacobians and factorizations weighted, and by wall time.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "ode"))  # the test problems lie beside the tests that use them

from detest import PROBLEMS as NON_STIFF  # noqa: E402  (found by the path above)
from stiff_compare import TOLERANCES, Result, ours, scipys  # noqa: E402  (found by the path above)
from stiff_problems import PROBLEMS  # noqa: E402  (found by the path above)

from odestudy.ode import SolveError, solve  # noqa: E402  (found by the path above)

SCIPYS = ("Radau", "BDF")
JACOBIAN, LU = 3.0, 1.0  # what they count beside an evaluation: about their time for these small systems
CHOICES = ("auto", "tsit5", "rodas5p")


def stiff(methods: list[str]) -> pd.DataFrame:
    """One row a problem, tolerance and method, ours and scipy's in turns."""
    rows = []
    for name in PROBLEMS:
        for tol in TOLERANCES:
            for method in (*SCIPYS, *methods):
                try:
                    found = scipys(name, method, tol) if method in SCIPYS else ours(name, method, tol)
                except (SolveError, AssertionError) as reason:
                    print(f"{name}, {tol:.0e}: {method} failed: {reason}")
                    continue
                rows.append({"problem": name, "tol": tol, "method": method, **found._asdict()})
    return pd.DataFrame(rows)


def non_stiff() -> pd.DataFrame:
    """The automatic choice and its two methods on DETEST; no errors, their order is tested elsewhere."""
    rows: list[dict[str, Any]] = []
    for name, (f, y0) in NON_STIFF.items():
        for tol in (1e-3, 1e-6):
            for method in CHOICES:
                begun = time.perf_counter()
                with torch.no_grad():
                    start = torch.tensor(y0, dtype=torch.float64)
                    s = solve(
                        lambda t, y, f=f: f(t, y, torch),
                        start,
                        [0.0, 20.0],
                        method=method,
                        rtol=tol,
                        atol=tol,
                    ).stats
                wall = time.perf_counter() - begun
                found = Result(np.nan, s.accepted, s.rejected, s.nfe, s.jacobians, s.factorizations, wall)
                rows.append({"problem": name, "tol": tol, "method": method, **found._asdict()})
    return pd.DataFrame(rows)


def over_radau(table: pd.DataFrame) -> pd.DataFrame:
    """Geometric means and extremes of each method's error and accepted steps over Radau's."""
    index = ["problem", "tol"]
    radau = table[table.method == "Radau"].set_index(index)
    rows = []
    for method, group in table[table.method != "Radau"].groupby("method", sort=False):
        ratio = group.set_index(index)[["error", "accepted", "nfe", "wall_s"]] / radau
        ratio = ratio[["error", "accepted", "nfe", "wall_s"]].dropna()
        means = np.exp(np.log(ratio).mean())
        rows.append({"method": method, "solves": len(ratio), **means, "largest error": ratio.error.max()})
    return pd.DataFrame(rows)


def over_better(table: pd.DataFrame) -> pd.DataFrame:
    """The automatic choice's cost and wall time over those of the cheaper of the methods it chooses from."""
    table = table.assign(cost=table.nfe + JACOBIAN * table.jacobians + LU * table.factorizations)
    rows = []
    for what in ("cost", "wall_s"):
        wide = table[table.method.isin(CHOICES)].pivot(
            index=["problem", "tol"], columns="method", values=what
        )
        ratio = (wide["auto"] / wide.drop(columns="auto").min(axis=1)).dropna()
        rows.append(
            {"what": what, "solves": len(ratio), "mean": np.exp(np.log(ratio).mean()), "worst": ratio.max()}
        )
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Our stiff solvers beside scipy's.")
    parser.add_argument("--methods", default="rodas5p,kvaerno5,auto")
    parser.add_argument("--csv", type=Path, default=ROOT / "benchmarks" / "results" / "stiff.csv")
    options = parser.parse_args()
    torch.set_num_threads(1)
    table = stiff(options.methods.split(","))
    print(over_radau(table).to_string(index=False, float_format="{:.3g}".format), "\n")
    if "auto" in options.methods and "rodas5p" in options.methods:
        print("auto on the stiff problems, over rodas5p:")
        print(over_better(table).to_string(index=False, float_format="{:.3g}".format))
        easy = non_stiff()
        print("auto on the non-stiff problems, over the better of tsit5 and rodas5p:")
        print(over_better(easy).to_string(index=False, float_format="{:.3g}".format))
        table = pd.concat([table, easy])
    options.csv.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.csv, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
