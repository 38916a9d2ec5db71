"""A run that failed, or that is missing, counts: in means, rates and deterministic values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from odestudy.analysis.ledger import _missing, judge
from odestudy.study.planned import expected_jobs
from tests.analysis.rows import FIRST, claim, recovery, seeded


def test_a_failed_run_is_never_left_out_of_a_mean(quick):
    table = recovery([1.0, 1.0, 1.1, 1.0, np.nan], status=["ok"] * 4 + ["non_finite"])
    found = judge(claim(), quick, {"dynamics_recovery": table})
    assert (found.verdict, found.failed) == ("inconclusive", 1)
    assert "1 of 5 runs failed" in found.why


def test_a_claim_about_a_mean_is_refuted_where_the_seeds_fail_and_never_supported(quick):
    seeds = seeded(quick, 10)
    failed = recovery([np.nan] * 9 + [1.0], status=["overflow"] * 9 + ["ok"])
    found = judge(claim(), seeds, {"dynamics_recovery": failed})
    assert (found.verdict, found.estimate) == ("refuted", None)
    assert (found.runs, found.failed) == (10, 9)
    few = recovery([np.nan] + [1.0] * 9, status=["overflow"] + ["ok"] * 9)
    assert judge(claim(), seeds, {"dynamics_recovery": few}).verdict == "inconclusive"


def test_a_deterministic_claim_whose_runs_all_fail_is_refuted(quick):
    value = claim("value", deterministic=True)
    table = recovery([np.nan], status="max_steps")
    assert judge(value, quick, {"dynamics_recovery": table}).verdict == "refuted"
    mixed = pd.concat([table, recovery([1.0])])
    assert judge(value, quick, {"dynamics_recovery": mixed}).verdict == "inconclusive"


def test_a_failed_run_counts_against_a_rate(quick):
    table = recovery([1.0] * 9 + [np.nan], status=["ok"] * 9 + ["max_steps"])
    rate = claim("rate", rule={"low": 0.5}, estimand={"success": {"at_most": 5.0}})
    found = judge(rate, quick, {"dynamics_recovery": table})
    assert (found.estimate.value, found.verdict) == (pytest.approx(0.9), "supported")


def test_a_value_that_is_missing_though_the_run_is_ok_gives_no_mean(quick):
    found = judge(claim(), quick, {"dynamics_recovery": recovery([1.0, 1.1, np.nan, 0.9, 1.05])})
    assert found.verdict == "inconclusive"
    assert "1 of 5 values are missing" in found.why


def test_a_seed_without_any_row_is_not_forgotten(quick):
    found = judge(
        claim(),
        quick,
        {"dynamics_recovery": recovery([1.0, 1.0, 1.1, 1.0, 1.2]).assign(seed=range(FIRST + 1, FIRST + 6))},
    )
    assert (found.verdict, found.why) == (
        "open",
        "unfinished: 1 of its seeds have not run",
    )


def test_a_seed_whose_run_left_no_row_is_lost_and_not_unfinished(quick):
    table = {"dynamics_recovery": recovery([1.0, 1.0, 1.1, 1.0])}
    for job in expected_jobs({"system": "focus", "arm": "linear"}, {"table": "dynamics_recovery"}, quick):
        path = job.metrics(quick.results)
        path.parent.mkdir(parents=True)
        path.touch()
    found = judge(claim(), quick, table)
    assert (found.verdict, found.why) == ("inconclusive", "1 seeds have no row, as a run of theirs failed")


def test_a_row_made_of_several_runs_waits_for_each_of_them(quick):
    estimand = {
        "table": "images_equivalence",
        "column": "difference_points",
        "where": {"arm": "odenet_adjoint"},
    }
    jobs = expected_jobs({}, estimand, quick)
    for job in jobs[1:]:
        path = job.metrics(quick.results)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert jobs[0].spec["arm"]["name"] != "odenet_adjoint"  # another net's run is what is missing
    none = pd.DataFrame({"seed": [], "status": []})
    not_run, lost = _missing([estimand["where"]], [none], estimand, quick)
    assert not_run == set(jobs[0].spec["seeds"])
    assert not lost & not_run


def test_a_rate_without_the_column_of_success_is_no_success(quick):
    rate = claim("rate", rule={"low": 0.5}, estimand={"success": {"at_most": 5.0}})
    found = judge(rate, quick, {"dynamics_recovery": recovery([1.0] * 5).drop(columns="field_error_pct")})
    assert found.verdict == "inconclusive"
