"""A row whose pilot asks for more seeds than a tier plans stays open there, with its estimate."""

from __future__ import annotations

import pandas as pd
import pytest

from odestudy.analysis.ledger import judge
from odestudy.analysis.power import seeds_over_budget
from odestudy.study import load_study
from odestudy.study.estimands import selections
from odestudy.study.planned import expected_seeds, planned_seeds

CLAIM = {
    "id": "C27a",
    "kind": "claim",
    "class": "finding",
    "question": "timeseries",
    "estimand": {"is": "batching of spirals", "statistic": "mean", "unit": "1"},
    "rule": {"high": 5.0},
    "expect": 4.0,
}


@pytest.fixture(scope="module")
def found(root):
    """A study and a row of seeds of it that lies far inside its rule, with its table."""
    study = load_study(root, "quick")
    like = next(
        c
        for c in study.claims
        if "expect" in c and "rule" in c and not c.get("deterministic") and planned_seeds(c, study) >= 5
    )
    estimand = like["estimand"]
    claim = CLAIM | {
        "estimand": CLAIM["estimand"]
        | {"table": estimand["table"], "column": "x", "where": selections(estimand)[0]}
    }
    seeds = sorted(expected_seeds(claim["estimand"]["where"], estimand, study))
    fixed = {
        k: (v[0] if isinstance(v, list) else v)
        for k, v in claim["estimand"]["where"].items()
        if v not in ("first", "last")
    }
    table = pd.DataFrame(
        [{**fixed, "seed": s, "x": 1.0 + 0.01 * i, "stale": False} for i, s in enumerate(seeds)]
    )
    return study, claim, table, len(seeds)


def test_it_is_decided_where_the_seeds_suffice_and_open_where_they_do_not(found):
    study, claim, table, seeds = found
    tables = {claim["estimand"]["table"]: table}
    assert judge(claim, study, tables).verdict == "supported"
    assert judge(claim | {"pilot": 0.01}, study, tables).verdict == "supported"
    held = judge(claim | {"pilot": 3.0}, study, tables)
    assert (held.verdict, held.reason) == ("open", "over_budget")
    assert int(held.detail) > seeds
    assert held.estimate is not None
    assert held.estimate.value == pytest.approx(table["x"].mean())


def test_the_seeds_are_those_of_the_effect_at_the_pilots_spread(found):
    study, claim, _, _ = found
    needed = seeds_over_budget(claim | {"pilot": 3.0}, study)
    wider = seeds_over_budget(claim | {"pilot": 3.0, "expect": 3.0}, study)
    # by the normal approximation (1.645 + 0.842)^2 (3 / 1)^2, a little more by Student's t
    assert 56 <= needed <= 60
    assert 14 <= wider <= 17
    assert seeds_over_budget(claim | {"pilot": 3.0, "deterministic": True}, study) is None
    assert seeds_over_budget(claim, study) is None
