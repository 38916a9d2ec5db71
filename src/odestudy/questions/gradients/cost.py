"""Memory and time of one gradient by arm, against steps and observations (C04)."""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor

from odestudy.integrate import Counted, integrate
from odestudy.learning.attempt import attempt
from odestudy.measure.clock import time_repeats
from odestudy.measure.fits import power_fit
from odestudy.measure.memory import peak_mib, saved_for_backward_mib
from odestudy.questions.gradients.gradient import solver_of
from odestudy.questions.gradients.params import Cost
from odestudy.questions.gradients.problems import mlp, moved
from odestudy.runtime.outcome import Outcome, Row

MEASURED = ("saved_mib", "peak_mib", "wall_s")


def cost(params: Cost, device: str) -> Outcome:
    """A net of fixed size by Euler's method, so that one step is one evaluation.

    Rows `runs`: one a number of steps or of observation times. `fits`: y = a + b N^alpha for each measure.
    """
    arm, most = params.arm, max(params.observations)
    points = [("steps", steps, steps, 2) for steps in params.step_counts]
    points += [("observations", times, most, times) for times in params.observations]
    rows: list[Row] = [
        {"seed": params.seeds[0], "varied": varied, "n": n} | _cost(arm, steps, times, params, device)
        for varied, n, steps, times in points
    ]
    fits = [
        {"seed": params.seeds[0]} | _fit(rows, *key) for key in product(("steps", "observations"), MEASURED)
    ]
    return Outcome({"runs": rows, "fits": fits})


def _cost(arm: str, steps: int, times: int, params: Cost, device: str) -> Row:
    """One gradient of the sum over `times` observations on [0, 1], with `steps` Euler steps."""
    problem = moved(mlp(params.width, 1.0, batch=params.batch, depth=2), device, params.dtype)
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
        return row | time_repeats(step, device, repeats=params.repeats)

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
