"""Which gradient to take: the advice follows from the measurements, and `solve` says the same in short."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from odestudy.ode import GRADIENTS, solve
from odestudy.questions.gradients import advice, limits, thresholds
from odestudy.questions.gradients.limits import _limit


def docstring():
    text = re.search(r"\n        gradient: (.*?)\n        norm:", solve.__doc__, re.S)
    assert text is not None
    return text[1]


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_the_docstring_of_solve_says_when_to_take_each_gradient(gradient):
    assert f'"{gradient}"' in docstring()


def test_what_the_table_advises_are_gradients_of_solve():
    for _, take, _ in advice.SITUATIONS:
        named = [word for word in re.findall(r"[a-z]+", take) if word in GRADIENTS]
        assert named or take == "any"


def compared():
    rows = [
        ("small", "backprop", 1.0),
        ("small", "adjoint", 3.0),
        ("large", "backprop", 2.0),
        ("large", "adjoint", 3.0),
    ]
    return pd.DataFrame([{"size": s, "rtol": 1e-3, "arm": a, "wall_s": t} for s, a, t in rows])


def test_a_reason_has_the_measured_ratios_and_says_so_where_there_are_none():
    assert advice._said(advice._fits, {"compare": compared()}).endswith(
        "the adjoint took 1.5 to 3 times its time"
    )
    assert advice._said(advice._fits, {"compare": pd.DataFrame()}) == "not measured in this tier"


def runs(thresholds):
    return pd.DataFrame(
        [
            {"threshold": t, "lipschitz": t, "tried_to": 30.0 + i, "predicted": 13.8, "monotone": True}
            for i, t in enumerate(thresholds)
        ]
    )


def test_a_limit_is_the_median_with_its_interval_and_none_where_most_problems_reach_none():
    found = _limit(runs([10.0, 11.0, 12.0, 13.0, 14.0, None]))
    assert (found["threshold"], found["threshold_low"], found["threshold_high"]) == (12.5, 10.0, None)
    assert found["limit"] == "12.5 [10.0, no upper end]"
    none = _limit(runs([None] * 6))
    assert none["limit"] == "none (tried up to 30 to 35)"
    assert "threshold" not in none
    assert _limit(runs([10.0, 11.0]))["limit"] == "10.5"


def test_where_most_problems_cannot_reach_a_limit_those_that_do_are_told():
    said = _limit(runs([None, 12.0, None, 14.0, None, None]))["limit"]
    assert said == "12.0 to 14.0 in 2 of 6 problems, none in the others (tried up to 30 to 35)"


def test_the_advice_on_growing_modes_tells_each_tolerance_at_which_the_adjoint_was_lost():
    kept = {"arm": "adjoint", "family": "growing", "rtol": 1e-3, "threshold": None, "lipschitz": None}
    lost = kept | {"rtol": 1e-9, "threshold": 0.1, "lipschitz": 27.2}
    said = advice._growing({"limits": pd.DataFrame([kept, lost])})
    assert said.startswith("on growing modes the adjoint kept its gradient at rtol 0.001; at rtol 1e-09")
    assert said.endswith("from a growth by e^27 on")
    assert advice._growing({"limits": pd.DataFrame([kept])}).endswith("at rtol 0.001")


def test_the_advice_quotes_limits_by_tolerance():
    found = pd.DataFrame(
        [{"arm": "adjoint", "family": "vanderpol", "rtol": r, "limit": limit} for r, limit in ((1e-6, "18.0"), (1e-3, "12.0"))]
        + [{"arm": "backprop", "family": "vanderpol", "rtol": 1e-3, "limit": "none up to 30"}]
    )  # fmt: skip
    said = advice._contracting({"limits": found})
    assert "12.0 at rtol 0.001; 18.0 at rtol 1e-06" in said
    assert said.endswith("backprop: none up to 30")


def test_the_report_tells_the_budget_of_evaluations_that_the_search_for_thresholds_had():
    assert limits.MOST_NFE == thresholds.MOST_NFE
