"""Where a gradient is lost: the contraction of the solution beyond which an arm's gradient is of no use (C24)."""

from __future__ import annotations

import math
from functools import cache
from itertools import product

from odestudy.integrate import Solver, named_failure
from odestudy.measure.threshold import threshold
from odestudy.questions.gradients.families import Stiffness, member, stiffness_of
from odestudy.questions.gradients.gradient import Gradient, gradient_of, missing, relative, solver_of
from odestudy.questions.gradients.oracle import oracle
from odestudy.questions.gradients.params import Thresholds
from odestudy.questions.gradients.problems import Problem, moved
from odestudy.runtime.outcome import Outcome, Row

# Of forward sensitivities, where there is no closed form: a tenth is what has to be seen.
FINE = Solver(method="dopri8", rtol=1e-10, atol=1e-12, gradient="forward")
MOST_NFE = 20_000  # of a gradient; a mode that grows by e^30 takes some thousands at the tightest tolerance


def thresholds(params: Thresholds, device: str) -> Outcome:
    """One family of problems: by bisection where the relative error of each arm's gradient exceeds `lost`, or none comes.

    Rows `runs`: one a seed (problem), arm, arithmetic and tolerance. Theory puts the threshold at ln(1 / tolerance): an
    error of a tolerance at the end grows by exp(contraction) on the way back.
    """
    arms = [arm for arm in params.arms if not missing(arm)]
    rows: list[Row] = []
    for seed in params.seeds:
        known = _Known(params.family, seed)
        points = product(arms, params.precisions, params.gradient_rtols)
        rows += [_row(known, params, arm, precision, rtol) for arm, precision, rtol in points]
    return Outcome({"runs": rows})


class _Known:
    """The members of a family for one seed, with what is known of each; several arms ask for the same ones."""

    def __init__(self, family: str, seed: int) -> None:
        self.family, self.seed = family, seed
        self.truth, self.stiffness = cache(self._truth), cache(self._stiffness)

    def at(self, value: float) -> Problem:
        return member(self.family, value, self.seed)

    def _truth(self, value: float) -> Gradient:
        problem = self.at(value)
        return oracle(problem) if problem.exact is not None else gradient_of(problem, FINE)

    def _stiffness(self, value: float) -> Stiffness:
        return stiffness_of(self.at(value))


def _row(known: _Known, params: Thresholds, arm: str, precision: str, rtol: float) -> Row:
    def lost(value: float) -> bool:
        problem = moved(known.at(value), "cpu", precision)
        return not error(problem, arm, rtol, known.truth(value)) <= params.lost

    found = threshold(lost, params.values)
    reached = math.isfinite(found.value)
    at = known.stiffness(found.value if reached else found.tried_to)
    return {
        "seed": known.seed, "arm": arm, "precision": precision, "rtol": rtol, "status": "ok", "message": "",
        "predicted": math.log(1 / rtol), "monotone": found.monotone,
        "threshold": at.contraction if reached else None, "lipschitz": at.lipschitz if reached else None,
        "beyond_predicted": at.contraction - math.log(1 / rtol) if reached else None,
        "tried_to": known.stiffness(params.values[-1]).contraction,
    }  # fmt: skip


def error(problem: Problem, arm: str, rtol: float, truth: Gradient) -> float:
    """The relative error of the gradient in the parameters; infinite where a solve fails."""
    try:
        found = gradient_of(problem, solver_of(arm, rtol=rtol, atol=rtol / 100, max_nfe=MOST_NFE))
    except Exception as failure:
        if named_failure(failure) is None:
            raise
        return math.inf
    return relative(found.parameters, truth.parameters)
