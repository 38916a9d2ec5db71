"""Memory and time of one gradient by arm: against steps, observations and parameters (C04, C25, C29)."""

from __future__ import annotations

from itertools import product
from typing import Any

import torch
from torch import Tensor

from odestudy.integrate import Counted, integrate
from odestudy.measure.clock import time_repeats
from odestudy.measure.fits import power_fit
from odestudy.measure.memory import peak_mib, saved_for_backward_mib
from odestudy.runtime.outcome import Outcome, Row
from odestudy.sensitivity.arms import counted, gradient_of, missing, solver_of
from odestudy.sensitivity.attempt import attempt
from odestudy.sensitivity.problems import Problem, mlp, moved

MEASURED = ("saved_mib", "peak_mib", "wall_s")


def cost(spec: dict[str, Any], device: str) -> Outcome:
    """A net of fixed size by Euler's method, so that one step is one evaluation.

    Rows `runs`: one a number of steps or of observation times. `fits`: y = a + b N^alpha for each measure.
    """
    arm, most = spec["arm"], max(spec["observations"])
    points = [("steps", steps, steps, 2) for steps in spec["step_counts"]]
    points += [("observations", times, most, times) for times in spec["observations"]]
    rows: list[Row] = [
        {"seed": spec["seeds"][0], "varied": varied, "n": n} | _cost(arm, steps, times, spec, device)
        for varied, n, steps, times in points
    ]
    fits = [
        {"seed": spec["seeds"][0]} | _fit(rows, *key) for key in product(("steps", "observations"), MEASURED)
    ]
    return Outcome({"runs": rows, "fits": fits})


def modes(spec: dict[str, Any], device: str) -> Outcome:
    """Forward and reverse mode on nets of growing width, all of it once a seed (initialisation and repetition).

    Rows `runs`: one a seed, arm and width. `crossovers`: one a seed, where reverse overtakes forward mode.
    """
    rows: list[Row] = []
    crossovers: list[Row] = []
    for seed in spec["seeds"]:
        mine = [
            _parameters(arm, width, seed, spec, device)
            for width, arm in product(spec["widths"], spec["arms"])
        ]
        rows += mine
        crossovers.append({"seed": seed} | _crossover(mine))
    return Outcome({"runs": rows, "crossovers": crossovers})


def _cost(arm: str, steps: int, times: int, spec: dict[str, Any], device: str) -> Row:
    """One gradient of the sum over `times` observations on [0, 1], with `steps` Euler steps."""
    problem = moved(mlp(spec["width"], 1.0, batch=spec["batch"], depth=2), device, spec["dtype"])
    solver = solver_of(arm, method="euler", step=1.0 / steps)
    t = torch.linspace(0, 1, times, dtype=torch.float64).to(problem.y0)
    f = Counted(problem.f)

    def forward() -> Tensor:
        return integrate(f, problem.y0.clone().requires_grad_(), t, solver).square().sum()

    def step() -> None:
        problem.f.zero_grad(set_to_none=True)
        forward().backward()

    def measure() -> Row:
        row: Row = {"saved_mib": saved_for_backward_mib(forward), "peak_mib": peak_mib(step, device)}
        f.take()
        step()
        nfe, nfe_backward = f.take()
        row |= {"nfe_forward": nfe, "nfe_backward": nfe_backward}
        return row | time_repeats(step, device, repeats=spec["repeats"])

    return {"status": "ok", "message": ""} | attempt(measure)


def _fit(rows: list[Row], varied: str, measure: str) -> Row:
    """The growth law of one measure; noisy timings are left out where four others remain, else the row is noisy, too."""
    mine = [r for r in rows if r["varied"] == varied and measure in r]
    row: Row = {"varied": varied, "measure": measure, "status": "ok"}
    if measure == "wall_s":
        quiet = [r for r in mine if not r.get("noisy")]
        row["noisy"] = len(quiet) < 4
        mine = mine if row["noisy"] else quiet
    if len(mine) < 4:
        return row | {"status": "non_finite", "message": f"{len(mine)} points; a fit needs four"}
    fit = power_fit([r["n"] for r in mine], [r[measure] for r in mine])
    return row | {
        "constant": fit.a, "factor": fit.b, "exponent": fit.alpha, "exponent_low": fit.low, "exponent_high": fit.high,
        "growth_share": fit.share,
    }  # fmt: skip


def _parameters(arm: str, width: int, seed: int, spec: dict[str, Any], device: str) -> Row:
    """One gradient by one arm with RK4 steps, with nets of growing width."""
    problem = moved(mlp(width, 1.0, batch=1, seed=seed), device, spec["dtype"])
    row: Row = {"seed": seed, "arm": arm, "parameters": sum(p.numel() for p in problem.parameters())}
    row |= {"status": "ok", "message": ""}
    solver = solver_of(arm, method="rk4", step=1.0 / spec["mode_steps"])
    return row | attempt(
        lambda: time_repeats(lambda: gradient_of(problem, solver), device, repeats=spec["repeats"])
    )


def _crossover(rows: list[Row]) -> Row:
    """The smallest number of parameters from which on reverse mode is faster than forward mode.

    None where it lies outside what was measured; `crossing` says on which side.
    """
    wall = {(row["arm"], row["parameters"]): row.get("wall_s", float("inf")) for row in rows}
    counts = sorted({row["parameters"] for row in rows})
    faster = [wall["backprop", count] < wall["forward", count] for count in counts]
    if all(faster):
        return {"status": "ok", "crossing": f"below {counts[0]}", "crossover_by_wall_s": None}
    if not faster[-1]:
        return {"status": "ok", "crossing": f"above {counts[-1]}", "crossover_by_wall_s": None}
    last = len(faster) - faster[::-1].index(False)
    return {"status": "ok", "crossing": "in the range", "crossover_by_wall_s": counts[last]}


def compare(spec: dict[str, Any], device: str) -> Outcome:
    """Evaluations, products, memory and time of a gradient with an adaptive solver, on nets of a few sizes.

    Rows `runs`: one a seed (initialisation), size, tolerance and arm.
    """
    arms = [arm for arm in spec["arms"] if not missing(arm)]
    rows = [
        {"seed": seed, "size": size, "rtol": rtol, "arm": arm, "status": "ok", "message": ""}
        | attempt(_compared, moved(mlp(horizon=spec["horizon"], seed=seed, **settings), device, spec["dtype"]),
                  arm, rtol, spec["repeats"], device)
        for seed, (size, settings), rtol, arm in product(spec["seeds"], spec["sizes"].items(), spec["tolerances"], arms)
    ]  # fmt: skip
    return Outcome({"runs": rows})


def _compared(problem: Problem, arm: str, rtol: float, repeats: int, device: str) -> Row:
    solver = solver_of(arm, rtol=rtol, atol=rtol / 100)
    found = gradient_of(problem, solver)
    row = counted(found.nfe, found.nfe_backward, arm)
    y0 = problem.y0.clone().requires_grad_()
    row["saved_mib"] = saved_for_backward_mib(lambda: integrate(problem.f, y0, problem.times(), solver))
    return row | time_repeats(lambda: gradient_of(problem, solver), device, repeats=repeats)


TASKS = {"cost": cost, "modes": modes, "compare": compare}
