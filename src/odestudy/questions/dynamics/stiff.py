"""Nonlinear stiff systems, trained by explicit and by implicit methods, as given and scaled (claim C17)."""

from __future__ import annotations

import numpy as np

from odestudy.questions.dynamics.params import Stiff, settings
from odestudy.questions.dynamics.recover import batches
from odestudy.recovery.learning import learn_batch
from odestudy.runtime.outcome import Outcome, Row


def stiff(p: Stiff, device: str) -> Outcome:
    """Train a net on a stiff system for a share of the iterations, with a schedule of its own.

    Rows `runs`: one a seed, with the damping of Van der Pol's oscillator, the error of the trajectory and whether that is
    at most `learnt_nrmse`.
    """
    spec = settings(p)
    spec["iterations"] = max(1, round(p.share * p.iterations))
    about: Row = {"share": p.share}
    if "mu" in p.system.get("parameters", {}):
        about["mu"] = p.system["parameters"]["mu"]
    rows = [row for seeds in batches(spec) for row in learn_batch(spec | {"seeds": seeds}, device).rows]
    return Outcome({"runs": [about | _learnt(row, p.learnt_nrmse) for row in rows]})


def _learnt(row: Row, most: float) -> Row:
    error = row.get("trajectory_nrmse")
    return row | {"learnt": int(row["status"] == "ok" and (np.inf if error is None else error) <= most)}
