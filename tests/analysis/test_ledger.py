"""Verdicts follow from the tables and the rule, whatever they turn out to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml

from odestudy.analysis.advice import seeds_needed, what_would_flip
from odestudy.analysis.ledger import judge, ledger
from odestudy.analysis.selecting import select
from odestudy.report.ledger_words import with_words
from odestudy.study import load_study


@pytest.fixture(scope="module")
def quick(root):
    return load_study(root, "quick")


def recovery(errors, system="focus", arm="linear", status="ok"):
    n = len(errors)
    return pd.DataFrame(
        {
            "system": system, "arm": arm, "gradient": "backprop", "seed": range(n), "field_error_pct": errors,
            "status": [status] * n if isinstance(status, str) else status, "job": "j", "stale": False,
        }
    )  # fmt: skip


def claim(statistic="mean", rule=None, **changes):
    estimand = {
        "is": "an error of the field", "table": "dynamics_recovery", "column": "field_error_pct",
        "where": {"system": "focus", "arm": "linear"}, "statistic": statistic,
    }  # fmt: skip
    estimand |= changes.pop("estimand", {})
    base = {"id": "C14a", "says": "something said", "sources": ["T"], "kind": "claim", "question": "dynamics"}
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
    seeds = load_study(quick.root, "quick")
    for experiment in ("recover", "further"):
        for job in seeds.jobs_by.get(("dynamics", experiment), []):
            job.spec["seeds"] = list(range(10))
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
        for c in (claim(), claim("value", deterministic=True), claim("rate", estimand={"success": 5.0}))
    ]
    assert found == ["95 % over seeds", "range over cases", "95 %, Wilson"]


def test_what_else_would_flip_a_verdict_stands_beside_the_distance_to_its_bound(quick):
    asked = claim() | {"flip": "a system that is stiff"}
    found = judge(asked, quick, {"dynamics_recovery": recovery([1.0, 1.1, 0.9, 1.0, 1.05])})
    said = what_would_flip(found, asked)
    assert "the bound is 5" in said
    assert said.endswith("a system that is stiff")


def test_a_failed_run_counts_against_a_rate(quick):
    table = recovery([1.0] * 9 + [np.nan], status=["ok"] * 9 + ["max_steps"])
    rate = claim("rate", rule={"low": 0.99}, estimand={"success": 5.0})
    found = judge(rate, quick, {"dynamics_recovery": table})
    assert found.estimate.value == pytest.approx(0.9)


def test_a_value_that_is_missing_though_the_run_is_ok_gives_no_mean(quick):
    found = judge(claim(), quick, {"dynamics_recovery": recovery([1.0, 1.0, np.nan, 1.0, 1.0])})
    assert found.verdict == "inconclusive"


def test_ratios_are_paired_by_seed(quick):
    table = pd.concat(
        [recovery([2.0, 4.0, 8.0, 16.0, 32.0]), recovery([1.0, 2.0, 4.0, 8.0, 16.0], arm="mlp")]
    )
    ratio = claim("ratio", rule={"low": 1.9, "high": 2.1}, estimand={"against": {"arm": "mlp"}})
    found = judge(ratio, quick, {"dynamics_recovery": table})
    assert found.estimate.value == pytest.approx(2.0)
    assert found.verdict == "supported"


def test_different_seeds_on_the_two_sides_are_not_paired(quick):
    other = recovery([1.0] * 5, arm="mlp").assign(seed=range(5, 10))
    ratio = claim("ratio", estimand={"against": {"arm": "mlp"}})
    found = judge(ratio, quick, {"dynamics_recovery": pd.concat([recovery([1.0] * 5), other])})
    assert found.verdict == "inconclusive"
    assert "no row" in found.why


def test_holm_can_take_a_verdict_back(quick, monkeypatch):
    weak = [claim() | {"id": f"C{i:02d}"} for i in range(14, 19)]
    table = recovery([4.0, 4.5, 3.5, 4.8, 3.2])
    object.__setattr__(quick, "claims", weak)
    alone = judge(weak[0], quick, {"dynamics_recovery": table})
    assert alone.verdict == "supported"
    assert 0.01 < alone.p < 0.05
    together = ledger(quick, {"dynamics_recovery": table})
    assert set(together["verdict"]) == {"inconclusive"}
    assert set(together["reason"]) == {"holm"}
    assert "Holm" in with_words(together, quick)["why"].iloc[0]


def test_a_seed_without_any_row_is_not_forgotten(quick):
    found = judge(claim() | {"needs_seeds": 4}, quick, {"dynamics_recovery": recovery([1.0, 1.0, 1.1, 1.0])})
    assert (found.verdict, found.why) == ("inconclusive", "1 seeds have no row")


def test_a_rate_without_the_column_of_success_is_no_success(quick):
    rate = claim("rate", rule={"low": 0.5}, estimand={"success": 5.0})
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
    asked = claim(kind="question")
    del asked["rule"]
    found = judge(asked, quick, {"dynamics_recovery": recovery([1.0, 2.0, 1.0, 2.0, 1.0])})
    assert (found.verdict, found.estimate.n) == ("answered", 5)


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
    data = yaml.safe_load((root / "config/claims.yaml").read_text())
    bibliography = (root / "report/references.bib").read_text()
    for key in data["sources"].values():
        assert f"{{{key}," in bibliography
    assert {s.split()[0] for c in data["claims"] for s in c["sources"]} <= set(data["sources"])


def test_what_would_flip_it_is_said_for_every_verdict(quick):
    for errors in ([1.0, 1.1, 0.9, 1.0, 1.05], [9.0] * 5, [1.0, 9.0, 2.0, 8.0, 3.0]):
        found = judge(claim(), quick, {"dynamics_recovery": recovery(errors)})
        assert "at most 5" in what_would_flip(found, claim())


def test_the_seeds_that_a_verdict_still_needs_follow_from_mean_and_spread(quick):
    errors = [1.0, 9.0, 2.0, 8.0, 3.0, 2.0]
    found = judge(claim(), quick, {"dynamics_recovery": recovery(errors)})
    assert found.verdict == "inconclusive"
    needed = seeds_needed(found, claim())
    rng = np.random.default_rng(0)
    more = rng.standard_normal(int(needed))
    more = (more - more.mean()) / more.std(ddof=1) * np.std(errors, ddof=1) + np.mean(errors)
    fewer = more[: int(needed) - 1]
    fewer = (fewer - fewer.mean()) / fewer.std(ddof=1) * np.std(errors, ddof=1) + np.mean(errors)
    for sample, verdict in ((more, "supported"), (fewer, "inconclusive")):
        assert judge(claim(), quick, {"dynamics_recovery": recovery(list(sample))}).verdict == verdict
    assert f"{needed:.0f} seeds" in what_would_flip(replace(found, seeds_needed=needed), claim())


def test_a_decided_verdict_or_a_failed_run_needs_no_seeds(quick):
    found = judge(claim(), quick, {"dynamics_recovery": recovery([1.0, 1.1, 0.9, 1.0, 1.05])})
    assert np.isnan(seeds_needed(found, claim()))
    table = recovery([1.0, 9.0, 2.0, 8.0, np.nan], status=["ok"] * 4 + ["non_finite"])
    assert np.isnan(seeds_needed(judge(claim(), quick, {"dynamics_recovery": table}), claim()))


def test_rows_with_a_true_column_are_counted_and_a_constant_part_may_be_negative(quick):
    from odestudy.analysis.estimators import STATISTICS
    from odestudy.analysis.stats import Region

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
