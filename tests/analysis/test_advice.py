"""What would change a verdict, and how many seeds it still needs."""

from __future__ import annotations

import numpy as np

from odestudy.analysis.advice import what_would_change
from odestudy.analysis.ledger import judge
from tests.analysis.rows import claim, recovery


def test_what_else_would_flip_a_verdict_stands_beside_the_distance_to_its_bound(quick):
    asked = claim() | {"flip": "a system that is stiff"}
    found = judge(asked, quick, {"dynamics_recovery": recovery([1.0, 1.1, 0.9, 1.0, 1.05])})
    said = what_would_change(found, asked)
    assert "the bound is 5" in said
    assert said.endswith("a system that is stiff")


def test_what_would_change_it_is_said_for_every_verdict(quick):
    for errors in ([1.0, 1.1, 0.9, 1.0, 1.05], [9.0, 9.1, 9.2, 9.3, 9.1], [1.0, 9.0, 2.0, 8.0, 3.0]):
        found = judge(claim(), quick, {"dynamics_recovery": recovery(errors)})
        assert "at most 5" in what_would_change(found, claim())


def test_the_seeds_that_a_verdict_still_needs_follow_from_mean_and_spread(quick):
    errors = [1.0, 9.0, 2.0, 8.0, 3.0, 2.0]
    found = judge(claim(), quick, {"dynamics_recovery": recovery(errors)})
    assert found.verdict == "inconclusive"
    needed = found.seeds_needed
    rng = np.random.default_rng(0)
    more = rng.standard_normal(int(needed))
    more = (more - more.mean()) / more.std(ddof=1) * np.std(errors, ddof=1) + np.mean(errors)
    fewer = more[: int(needed) - 1]
    fewer = (fewer - fewer.mean()) / fewer.std(ddof=1) * np.std(errors, ddof=1) + np.mean(errors)
    for sample, verdict in ((more, "supported"), (fewer, "inconclusive")):
        assert judge(claim(), quick, {"dynamics_recovery": recovery(list(sample))}).verdict == verdict
    assert f"{needed:.0f} seeds" in what_would_change(found, claim())


def test_a_decided_verdict_or_a_failed_run_needs_no_seeds(quick):
    found = judge(claim(), quick, {"dynamics_recovery": recovery([1.0, 1.1, 0.9, 1.0, 1.05])})
    assert np.isnan(found.seeds_needed)
    table = recovery([1.0, 9.0, 2.0, 8.0, np.nan], status=["ok"] * 4 + ["non_finite"])
    assert np.isnan(judge(claim(), quick, {"dynamics_recovery": table}).seeds_needed)
