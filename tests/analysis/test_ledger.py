"""Verdicts follow from the tables and the rule, whatever they turn out to be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml

from odestudy.analysis.advice import what_would_change
from odestudy.analysis.ledger import judge
from odestudy.analysis.selecting import select
from odestudy.analysis.stored_rules import stored_rules
from odestudy.runtime.store import write_metrics
from odestudy.study import load_study
from odestudy.study.estimands import rule_hash
from odestudy.study.planned import rules_of_jobs

FIRST = 100


@pytest.fixture
def quick(root):
    """The quick tier, whose jobs on recovery have five seeds."""
    return seeded(load_study(root, "quick"), 5)


def seeded(study, n):
    """Every job behind the table that these tests fill has n seeds, whatever the tier says."""
    for job in study.jobs_of("dynamics", study.tables["dynamics_recovery"][1]["experiments"]):
        job.spec["seeds"] = list(range(FIRST, FIRST + n))
    return study


def recovery(errors, system="focus", arm="linear", status="ok"):
    n = len(errors)
    return pd.DataFrame(
        {
            "system": system, "arm": arm, "gradient": "backprop", "seed": range(FIRST, FIRST + n), "field_error_pct": errors,
            "status": [status] * n if isinstance(status, str) else status, "job": "j", "stale": False,
        }
    )  # fmt: skip


def claim(statistic="mean", rule=None, **changes):
    estimand = {
        "is": "an error of the field", "table": "dynamics_recovery", "column": "field_error_pct",
        "where": {"system": "focus", "arm": "linear"}, "statistic": statistic,
    }  # fmt: skip
    estimand |= changes.pop("estimand", {})
    base = {
        "id": "C14a",
        "says": "something said",
        "sources": ["T"],
        "kind": "claim",
        "class": "finding",
        "question": "dynamics",
    }
    return base | {"estimand": estimand, "rule": {"high": 5.0} if rule is None else rule} | changes


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
    found = judge(claim(), quick, {"dynamics_recovery": recovery([1.0, 1.0, 1.0, 1.1])})
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


def test_a_tier_that_sweeps_other_values_cannot_test_a_claim_about_these(quick):
    table = recovery([1.0] * 5).assign(k=[1.0, 10.0, 1.0, 10.0, 1.0])
    asked = claim(estimand={"where": {"system": "focus", "arm": "linear", "k": [10.0, 1000.0]}})
    found = judge(asked | {"deterministic": True}, quick, {"dynamics_recovery": table})
    assert (found.verdict, found.why) == (
        "not testable at this tier",
        "this tier has no rows with k = 1000.0",
    )


def test_an_interval_says_what_its_ends_are(quick):
    tables = {"dynamics_recovery": recovery([1.0, 1.2, 1.1, 1.0, 1.3])}
    found = [
        judge(c, quick, tables).estimate.ends
        for c in (
            claim(),
            claim("value", deterministic=True),
            claim("rate", rule={"low": 0.5}, estimand={"success": {"at_most": 5.0}}),
        )
    ]
    assert found == ["t", "range", "binomial"]


def test_what_else_would_flip_a_verdict_stands_beside_the_distance_to_its_bound(quick):
    asked = claim() | {"flip": "a system that is stiff"}
    found = judge(asked, quick, {"dynamics_recovery": recovery([1.0, 1.1, 0.9, 1.0, 1.05])})
    said = what_would_change(found, asked)
    assert "the bound is 5" in said
    assert said.endswith("a system that is stiff")


def test_a_failed_run_counts_against_a_rate(quick):
    table = recovery([1.0] * 9 + [np.nan], status=["ok"] * 9 + ["max_steps"])
    rate = claim("rate", rule={"low": 0.5}, estimand={"success": {"at_most": 5.0}})
    found = judge(rate, quick, {"dynamics_recovery": table})
    assert (found.estimate.value, found.verdict) == (pytest.approx(0.9), "supported")


def test_runs_of_one_seed_are_one_value_of_a_rate(quick):
    table = pd.concat([recovery([1.0] * 10), recovery([1.0] * 4 + [9.0] * 6)])
    rate = claim("rate", rule={"low": 0.5}, estimand={"success": {"at_most": 5.0}})
    found = judge(rate, quick, {"dynamics_recovery": table})
    assert (found.estimate.n, found.estimate.value, found.verdict) == (10, pytest.approx(0.4), "inconclusive")


@pytest.mark.parametrize(("n", "verdict"), [(4, "not testable at this tier"), (5, "supported")])
def test_a_rate_that_so_few_seeds_cannot_support_is_not_judged(quick, n, verdict):
    rate = claim("rate", rule={"low": 0.5}, estimand={"success": {"at_most": 5.0}})
    assert judge(rate, quick, {"dynamics_recovery": recovery([1.0] * n)}).verdict == verdict
    strict = claim("rate", rule={"low": 0.75}, estimand={"success": {"at_most": 5.0}})
    found = judge(strict, quick, {"dynamics_recovery": recovery([1.0] * 5)})
    assert (found.verdict, found.why) == (
        "not testable at this tier",
        "5 seeds, of which no outcome could be supported",
    )


def test_equal_values_decide_only_where_the_quantum_of_the_measurement_is_known(quick):
    equal = {"dynamics_recovery": recovery([4.0] * 5)}
    assert judge(claim(), quick, equal).verdict == "inconclusive"
    known = claim(estimand={"quantum": 1.0})
    found = judge(known, quick, equal)
    assert found.verdict == "supported"
    assert found.estimate.low < 4.0 < found.estimate.high


def test_a_rule_that_changed_since_its_data_were_made_leaves_the_row_open(quick):
    table = {"dynamics_recovery": recovery([1.0, 1.1, 0.9, 1.0, 1.05])}
    before = rule_hash(claim(rule={"high": 50.0}))
    found = judge(claim(), quick, table, {before})
    assert (found.verdict, found.rule_changed) == ("open", True)
    assert judge(claim(), quick, table, {rule_hash(claim())}).verdict == "supported"
    reworded = claim() | {"says": "other words", "note": "and a note"}
    assert judge(reworded, quick, table, {rule_hash(claim())}).verdict == "supported"


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


def test_baselines_stand_beside_a_number(quick):
    table = pd.concat([recovery([1.0, 1.1, 0.9, 1.0, 1.05]), recovery([3.0] * 5, arm="mlp")])
    asked = claim() | {
        "beside": [{"is": "published", "value": 0.42, "source": "T"}, {"is": "MLP", "where": {"arm": "mlp"}}]
    }
    assert judge(asked, quick, {"dynamics_recovery": table}).beside == (0.42, 3.0)


def test_a_value_that_is_missing_though_the_run_is_ok_gives_no_mean(quick):
    found = judge(claim(), quick, {"dynamics_recovery": recovery([1.0, 1.0, np.nan, 1.0, 1.0])})
    assert found.verdict == "inconclusive"


def test_ratios_are_paired_by_seed(quick):
    table = pd.concat(
        [recovery([2.0, 4.01, 7.99, 16.01, 31.99]), recovery([1.0, 2.0, 4.0, 8.0, 16.0], arm="mlp")]
    )
    ratio = claim("ratio", rule={"low": 1.9, "high": 2.1}, estimand={"against": {"arm": "mlp"}})
    found = judge(ratio, quick, {"dynamics_recovery": table})
    assert found.estimate.value == pytest.approx(2.0, rel=1e-3)
    assert found.verdict == "supported"


def test_different_seeds_on_the_two_sides_are_not_paired(quick):
    other = recovery([1.0] * 5, arm="mlp").assign(seed=range(FIRST + 5, FIRST + 10))
    ratio = claim("ratio", estimand={"against": {"arm": "mlp"}})
    found = judge(ratio, quick, {"dynamics_recovery": pd.concat([recovery([1.0] * 5), other])})
    assert found.verdict == "inconclusive"
    assert "no row" in found.why


def test_a_seed_without_any_row_is_not_forgotten(quick):
    found = judge(
        claim(),
        quick,
        {"dynamics_recovery": recovery([1.0, 1.0, 1.1, 1.0, 1.2]).assign(seed=range(FIRST + 1, FIRST + 6))},
    )
    assert (found.verdict, found.why) == ("inconclusive", "1 seeds have no row")


def test_a_rate_without_the_column_of_success_is_no_success(quick):
    rate = claim("rate", rule={"low": 0.5}, estimand={"success": {"at_most": 5.0}})
    found = judge(rate, quick, {"dynamics_recovery": recovery([1.0] * 5).drop(columns="field_error_pct")})
    assert found.verdict == "inconclusive"


def test_a_slope_has_the_interval_of_the_regression_or_that_over_seeds(quick):
    steps = [0.1, 0.2, 0.4]
    tables = [
        recovery([h**power for h in steps]).assign(seed=seed, h=steps) for seed, power in ((0, 1.9), (1, 2.1))
    ]
    rule = {"low": 0.5, "high": 4.0}
    slope = claim("slope", rule=rule, deterministic=True, estimand={"over": "h"})
    one = judge(slope, quick, {"dynamics_recovery": tables[0]})
    assert one.estimate.value == pytest.approx(1.9)
    both = judge(slope, quick, {"dynamics_recovery": pd.concat(tables)})
    assert both.estimate.value == pytest.approx(2.0)
    assert both.estimate.low < 1.9


def test_a_deterministic_value_may_be_a_geometric_mean_and_must_be_there(quick):
    value = claim("value", rule={"high": 11.0}, deterministic=True, estimand={"scale": "log"})
    found = judge(value, quick, {"dynamics_recovery": recovery([1.0, 100.0])})
    assert (found.estimate.value, found.estimate.high) == pytest.approx((10.0, 100.0))
    missing = judge(value, quick, {"dynamics_recovery": recovery([1.0, np.nan])})
    assert missing.verdict == "inconclusive"


def test_a_question_is_answered_with_its_numbers(quick):
    asked = claim(kind="question", resolution=0.7)
    del asked["rule"]
    table = {"dynamics_recovery": recovery([1.0, 2.0, 1.0, 2.0, 1.0])}
    found = judge(asked, quick, table)
    assert (found.verdict, found.estimate.n) == ("answered", 5)
    wide = judge(asked | {"resolution": 0.6}, quick, table)
    assert (wide.verdict, wide.why) == ("open", "the interval is wider than the resolution of 0.6")


def test_first_and_last_select_the_ends_of_a_numeric_column():
    table = pd.DataFrame({"epoch": [1, 2, 3, 1, 2, 3], "arm": list("aaabbb")})
    assert select(table, {"arm": "b", "epoch": "last"}).index.tolist() == [5]
    assert select(table, {"epoch": "first"}).index.tolist() == [0, 3]


def test_every_estimand_names_a_table_column_and_axis_that_exist(root):
    study = load_study(root, "quick")
    for c in study.claims:
        if "estimand" in c:
            e = c["estimand"]
            question, definition = study.tables[e["table"]]
            known = set(study.questions[question]["columns"]) | {"seed"}
            for experiment in definition["experiments"]:
                known |= set(study.questions[question]["experiments"][experiment].get("grid", {}))
            used = {e["column"], *e.get("where", {}), *e.get("against", {})} | {
                e[k] for k in ("over", "denominator") if k in e
            }
            assert used <= known, f"{c['id']}: {used - known}"


def test_the_sources_of_all_claims_are_in_the_bibliography(root):
    documents = yaml.safe_load((root / "config/study.yaml").read_text())["documents"]
    bibliography = (root / "report/references.bib").read_text()
    for key in documents.values():
        assert f"{{{key}," in bibliography
    claims = load_study(root, "quick").claims
    assert {s.split()[0] for c in claims for s in c["sources"]} <= set(documents)


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


def test_rows_with_a_true_column_are_counted_and_a_constant_part_may_be_negative(quick):
    from odestudy.analysis.estimators import STATISTICS
    from odestudy.statistics.region import Region

    table = pd.DataFrame(
        {
            "seed": 0,
            "n": [1, 2, 4, 8, 16],
            "y": [5.0, 8.0, 14.0, 26.0, 50.0],
            "yes": [True, False] * 2 + [True],
        }
    )
    assert STATISTICS["count"]([table], {"column": "yes"}, Region()).value == 3
    share = STATISTICS["constant_share"]([table], {"column": "y", "over": "n"}, Region())
    assert share.value == pytest.approx(2 / 48, rel=1e-3)


def test_jobs_tell_the_rules_that_they_were_run_for_and_that_a_row_came_later(root, tmp_path):
    study = load_study(root, "smoke")
    object.__setattr__(study, "root", tmp_path)
    claim_rules = rules_of_jobs(study)
    folder, rows = next((f, r) for f, r in claim_rules.items() if len(r) > 1)
    known, later = list(rows)[:2]
    content = {
        "spec": study.jobs[folder].spec,
        "rows": {},
        "provenance": {},
        "code": "c",
        "rules": {known: rows[known]},
    }
    write_metrics(study.jobs[folder].metrics(study.results), content, {})
    found = stored_rules(study)
    assert found[known] == {rows[known]}
    assert found[later] == {""}
