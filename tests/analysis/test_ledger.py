"""Verdicts follow from the tables and the rule, whatever they turn out to be."""

from __future__ import annotations

import pandas as pd
import pytest

from odestudy.analysis.ledger import judge, with_lent_baselines
from odestudy.study import load_study
from tests.analysis.rows import claim, recovery, seeded


@pytest.mark.parametrize(
    ("errors", "verdict"),
    [
        ([1.0, 1.1, 0.9, 1.0, 1.05], "supported"),
        ([9.0, 9.1, 8.9, 9.0, 9.05], "refuted"),
        ([1.0, 9.0, 2.0, 8.0, 3.0], "inconclusive"),
    ],
)
def test_the_verdict_follows_the_interval(quick, errors, verdict):
    assert judge(claim(), quick, {"dynamics_recovery": recovery(errors)}).verdict == verdict


def test_fewer_than_five_seeds_give_no_verdict(quick):
    four = {"dynamics_recovery": recovery([1.0, 1.0, 1.0, 1.1])}
    assert judge(claim(), quick, four).verdict == "open"  # of five that are planned, one is missing
    found = judge(claim(), seeded(quick, 4), four)
    assert (found.verdict, found.why) == ("not testable at this tier", "4 of 5 seeds")


def test_a_deterministic_claim_needs_one_run(quick):
    found = judge(claim("value", deterministic=True), quick, {"dynamics_recovery": recovery([1.0])})
    assert found.verdict == "supported"


def test_a_tier_may_cap_what_rests_on_seeds(root):
    smoke = load_study(root, "smoke")
    assert (
        judge(claim(), smoke, {"dynamics_recovery": recovery([1.0] * 5)}).verdict
        == "not testable at this tier"
    )


def test_runs_that_the_tier_leaves_out_are_not_testable_and_missing_ones_are_no_data(quick):
    absent = claim(estimand={"where": {"system": "focus", "gradient": "adjoint"}})
    assert (
        judge(absent, quick, {"dynamics_recovery": recovery([1.0] * 5)}).verdict
        == "not testable at this tier"
    )
    assert (
        judge(claim(), quick, {"dynamics_recovery": recovery([1.0] * 5, system="node")}).verdict == "no data"
    )


def test_a_claim_whose_question_is_not_built_has_no_data(quick):
    found = judge({"id": "C19", "kind": "claim", "question": "density"}, quick, {})
    assert found.verdict == "no data"


def test_a_tier_that_sweeps_other_values_cannot_test_a_claim_about_these(quick):
    table = recovery([1.0] * 5).assign(k=[1.0, 10.0, 1.0, 10.0, 1.0])
    asked = claim(estimand={"where": {"system": "focus", "arm": "linear", "k": [10.0, 1000.0]}})
    found = judge(asked | {"deterministic": True}, quick, {"dynamics_recovery": table})
    assert (found.verdict, found.why) == (
        "not testable at this tier",
        "this tier has no rows with k = 1000.0",
    )


@pytest.mark.parametrize(("n", "verdict"), [(4, "not testable at this tier"), (5, "supported")])
def test_a_rate_that_so_few_seeds_cannot_support_is_not_judged(quick, n, verdict):
    rate = claim("rate", rule={"low": 0.5}, estimand={"success": {"at_most": 5.0}})
    assert judge(rate, seeded(quick, n), {"dynamics_recovery": recovery([1.0] * n)}).verdict == verdict
    strict = claim("rate", rule={"low": 0.75}, estimand={"success": {"at_most": 5.0}})
    found = judge(strict, seeded(quick, 5), {"dynamics_recovery": recovery([1.0] * 5)})
    assert (found.verdict, found.why) == (
        "not testable at this tier",
        "5 seeds, of which no outcome could be supported",
    )


def test_a_net_that_half_the_training_does_not_match_is_still_learning(quick):
    full, half = (
        recovery([1.0, 1.1, 0.9, 1.0, 1.05]).assign(k=20),
        recovery([2.0, 2.1, 1.9, 2.0, 2.05]).assign(k=10),
    )
    table = {"dynamics_recovery": pd.concat([full, half])}
    where = {"system": "focus", "arm": "linear", "k": 20}
    gated = claim(estimand={"where": where}) | {"trained": {"half": {"k": 10}, "margin": 0.5}}
    found = judge(gated, quick, table)
    assert (found.verdict, found.why) == ("open", "still learning: with k 10 its error is larger by 1")
    gated["trained"]["margin"] = 1.5
    assert judge(gated, quick, table).verdict == "supported"
    median = claim(estimand={"where": where, "statistic": "threshold"})
    twice = judge(median | {"trained": gated["trained"] | {"margin": 0.5}}, quick, table)
    assert twice.why == "still learning: with k 10 its error is larger by 99 %"  # of a median a share
    alone = {"dynamics_recovery": full}
    assert "no run to compare with" in judge(gated, quick, alone).why
    apart = alone | {"elsewhere": half.assign(k=20)}
    there = {"trained": {"half_table": "elsewhere", "margin": 0.5}}
    assert (
        judge(gated | there, quick, apart).why
        == "still learning: with half the training its error is larger by 1"
    )
    there["trained"] |= {"share": True}
    assert judge(gated | there, quick, apart).why.endswith("larger by 99 %")
    assert judge(gated | {"trained": there["trained"] | {"margin": 1.0}}, quick, apart).verdict == "supported"


def test_a_number_that_is_no_error_has_to_settle_in_either_direction(quick):
    full, half = recovery([2.0, 2.1, 1.9, 2.0, 2.05]), recovery([1.0, 1.1, 0.9, 1.0, 1.05])
    tables = {"dynamics_recovery": full, "elsewhere": half}
    gate = {"half_table": "elsewhere", "margin": 0.5}
    assert judge(claim() | {"trained": gate}, quick, tables).verdict == "supported"
    settled = claim() | {"trained": gate | {"both_ways": True}}
    assert judge(settled, quick, tables).why.endswith("half the training its number is another by 1")
    settled["trained"] |= {"share": True}
    assert judge(settled, quick, tables).why.endswith("its number is another by 99 %")
    settled["trained"] |= {"margin": 1.0}
    assert judge(settled, quick, tables).verdict == "supported"


def test_an_error_beyond_the_worst_gets_no_better_by_falling_to_it(quick):
    tables = {"dynamics_recovery": recovery([1.2, 1.3, 0.9, 1.0, 1.1]), "elsewhere": recovery([9.0] * 5)}
    gate = {"half_table": "elsewhere", "margin": 0.5}
    assert judge(claim() | {"trained": gate}, quick, tables).verdict == "open"
    assert judge(claim() | {"trained": gate | {"most": 1.0}}, quick, tables).verdict == "supported"
    nearer = tables | {"dynamics_recovery": recovery([0.1, 0.2, 0.3, 0.2, 0.1])}
    assert judge(claim() | {"trained": gate | {"most": 1.0}}, quick, nearer).verdict == "open"


def test_a_gate_may_name_a_difference_where_the_number_is_on_a_log_scale(quick):
    log = claim(estimand={"scale": "log"})
    tables = {"dynamics_recovery": recovery([0.1, 0.11, 0.1, 0.11, 0.1]), "elsewhere": recovery([0.14] * 5)}
    gate = {"half_table": "elsewhere", "margin": 0.05}
    assert judge(log | {"trained": gate}, quick, tables).why.endswith("its error is larger by 35 %")
    assert judge(log | {"trained": gate | {"share": False}}, quick, tables).verdict == "supported"


def test_a_number_that_tells_nothing_as_yet_leaves_the_row_open(quick):
    table = {
        "dynamics_recovery": recovery([1.0, 1.1, 0.9, 1.0, 1.05]).assign(near_pct=[5.0, 6.0, 7.0, 8.0, 9.0])
    }
    for least, verdict in ((7.0, "supported"), (7.1, "open")):
        asked = claim() | {
            "provided": {"column": "near_pct", "at_least": least, "because": "chance gives it"}
        }
        assert judge(asked, quick, table).verdict == verdict
    assert (
        judge(asked, quick, table).why == "it tells nothing yet: near_pct: 7 in the mean, 7.1 are asked for"
    )


def test_baselines_stand_beside_a_number(quick):
    table = pd.concat([recovery([1.0, 1.1, 0.9, 1.0, 1.05]), recovery([3.0] * 5, arm="mlp")])
    asked = claim() | {
        "beside": [{"is": "published", "value": 0.42, "source": "T"}, {"is": "MLP", "where": {"arm": "mlp"}}]
    }
    assert judge(asked, quick, {"dynamics_recovery": table}).beside == (0.42, 3.0)


def test_a_baseline_that_a_rows_own_run_lacks_is_that_of_a_table_that_is_lent(quick):
    step = {"dataset": "mnist", "steps": None, "status": "ok"}
    times = [{"arm": "odenet_backprop", "wall_s": 3.0}, {"arm": "odenet_adjoint", "wall_s": 4.0}]
    cost = pd.DataFrame([step | row for row in times])
    own = ["[0.5, 1.0, 2.0, 15.0, 14.0, null, null]", "[0.576, null]", float("nan")]
    rows = pd.DataFrame({"id": ["C12a", "C09a", "C12b"], "beside": own})
    filled = with_lent_baselines(rows, quick, {"images_cost": cost})["beside"].tolist()
    assert filled[0] == "[0.5, 1.0, 2.0, 15.0, 14.0, 3.0, 4.0]"
    assert filled[1] == own[1], "of a row that has other baselines now"
    assert pd.isna(filled[2])


def test_a_baseline_may_be_a_median_in_which_a_run_without_a_number_is_infinite(quick):
    errors = [1.0, float("nan"), 2.0, 3.0, 1e9]
    table = pd.concat([recovery([1.0, 1.1, 0.9, 1.0, 1.05]), recovery(errors, arm="mlp")])
    entries = [{"is": how, "statistic": how, "where": {"arm": "mlp"}} for how in ("median", "mean")]
    median, mean = judge(claim() | {"beside": entries}, quick, {"dynamics_recovery": table}).beside
    assert median == 3.0
    assert not mean < 1e6


def test_a_question_is_answered_with_its_numbers(quick):
    asked = claim(kind="question", resolution=0.7)
    del asked["rule"]
    table = {"dynamics_recovery": recovery([1.0, 2.0, 1.0, 2.0, 1.0])}
    found = judge(asked, quick, table)
    assert (found.verdict, found.estimate.n) == ("answered", 5)
    wide = judge(asked | {"resolution": 0.6}, quick, table)
    assert (wide.verdict, wide.why) == ("open", "the interval is wider than the resolution of 0.6")
