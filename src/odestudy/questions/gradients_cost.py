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
from odestudy.outcome import Outcome, Row
from odestudy.sensitivity.arms import counted, gradient_of, missing, solver_of
from odestudy.sensitivity.attempt import attempt
from odestudy.sensitivity.problems import Problem, mlp, moved

MEASURED = ("saved_mib", "peak_mib", "wall_s")


def cost(spec: dict[str, Any], device: str) -> Outcome:
    """A net of fixed size by Euler's method, so that one step is one evaluation.

    Rows `runs`: one an arm and number of steps or of observation times. `fits`: y = a + b N^alpha for each arm and
    measure. `parameters`: one an arm and width of the net. `crossovers`: one, where reverse overtakes forward mode.
    """
    seed = spec["seeds"][0]
    rows: list[Row] = []
    arms = [arm for arm in spec["arms"] if not missing(arm)]
    for arm in arms:
        for steps in spec["step_counts"]:
            rows.append({"arm": arm, "varied": "steps", "n": steps} | _cost(arm, steps, 2, spec, device))
        most = max(spec["observations"])
        for times in spec["observations"]:
            rows.append(
                {"arm": arm, "varied": "observations", "n": times} | _cost(arm, most, times, spec, device)
            )
    fits = [_fit(rows, *key) for key in product(arms, ("steps", "observations"), MEASURED)]
    parameters = [
        _parameters(arm, width, spec, device) for arm, width in product(spec["modes"], spec["widths"])
    ]
    parts = {"runs": rows, "fits": fits, "parameters": parameters, "crossovers": [_crossover(parameters)]}
    return Outcome({name: [{"seed": seed} | row for row in part] for name, part in parts.items()})


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


def _fit(rows: list[Row], arm: str, varied: str, measure: str) -> Row:
    mine = [r for r in rows if r["arm"] == arm and r["varied"] == varied and measure in r]
    row: Row = {"arm": arm, "varied": varied, "measure": measure, "status": "ok"}
    if len(mine) < 4:
        return row | {"status": "non_finite", "message": f"{len(mine)} points; a fit needs four"}
    fit = power_fit([r["n"] for r in mine], [r[measure] for r in mine])
    return row | {
        "constant": fit.a, "factor": fit.b, "exponent": fit.alpha, "exponent_low": fit.low, "exponent_high": fit.high,
        "growth_share": fit.share,
    }  # fmt: skip


def _parameters(arm: str, width: int, spec: dict[str, Any], device: str) -> Row:
    """One gradient by one arm with RK4 steps, with nets of growing width."""
    problem = moved(mlp(width, 1.0, batch=1), device, spec["dtype"])
    row: Row = {"arm": arm, "parameters": sum(p.numel() for p in problem.parameters())}
    row |= {"status": "ok", "message": ""}
    solver = solver_of(arm, method="rk4", step=1.0 / spec["mode_steps"])
    return row | attempt(
        lambda: time_repeats(lambda: gradient_of(problem, solver), device, repeats=spec["repeats"])
    )


def _crossover(rows: list[Row]) -> Row:
    """The smallest number of parameters from which on reverse mode is faster than forward mode."""
    wall = {(row["arm"], row["parameters"]): row.get("wall_s", float("inf")) for row in rows}
    found = None
    for count in sorted({row["parameters"] for row in rows}, reverse=True):
        if not wall["backprop", count] < wall["forward", count]:
            break
        found = count
    return {"status": "ok", "crossover_by_wall_s": found}


def compare(spec: dict[str, Any], device: str) -> Outcome:
    """Evaluations, products and time of a gradient with an adaptive solver, on nets of a few sizes.

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
    return row | time_repeats(lambda: gradient_of(problem, solver), device, repeats=repeats)


TASKS = {"cost": cost, "compare": compare}
