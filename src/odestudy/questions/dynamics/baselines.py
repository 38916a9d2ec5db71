"""What other methods make of the same observations, without training through a solver."""

from __future__ import annotations

import time
from itertools import product
from typing import Any

from odestudy.learning.attempt import attempt
from odestudy.questions.dynamics.limits import beside_bounds
from odestudy.questions.dynamics.params import Baseline, settings
from odestudy.questions.dynamics.success import counted
from odestudy.recovery.baselines import BASELINES, Fit
from odestudy.recovery.draws import FRESH, START, draws
from odestudy.recovery.judge import judge
from odestudy.recovery.learning import observations, signal
from odestudy.runtime.outcome import Outcome, Row
from odestudy.systems.trajectories import Observed


def baselines(p: Baseline, device: str) -> Outcome:
    """Fit baselines to the same observations; rows `runs`, one a baseline and seed, as those of `recover`."""
    spec = settings(p)
    data, seeds, rows = observations(spec)
    rows = [{"arm": arm} | row for arm in p.baselines for row in rows]
    for arm, (seed, one) in product(p.baselines, zip(seeds, data, strict=True)):
        rows.append(
            {"arm": arm, "seed": seed} | attempt(_baseline, BASELINES[arm], seed, one, spec) | signal(one)
        )
    return Outcome({"runs": beside_bounds(counted(rows, spec), spec)})


def _baseline(fit: Fit, seed: int, data: Observed, spec: dict[str, Any]) -> Row:
    clock = time.perf_counter()
    learnt, roll = fit(data, spec, draws(spec, seed, START))
    seconds = time.perf_counter() - clock
    return {"train_s": seconds} | judge(learnt, roll, data, spec, draws(spec, seed, FRESH))[0]
