"""What is estimated of rows: rates, ratios, slopes, values, counts, and the ends of their intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from odestudy.analysis.estimators import STATISTICS
from odestudy.analysis.ledger import _baseline, judge
from odestudy.analysis.selecting import select
from odestudy.statistics.region import Region
from odestudy.study.estimands import beside
from tests.analysis.rows import FIRST, claim, recovery


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


def test_runs_of_one_seed_are_one_value_of_a_rate(quick):
    table = pd.concat([recovery([1.0] * 10), recovery([1.0] * 4 + [9.0] * 6)])
    rate = claim("rate", rule={"low": 0.5}, estimand={"success": {"at_most": 5.0}})
    found = judge(rate, quick, {"dynamics_recovery": table})
    assert (found.estimate.n, found.estimate.value, found.verdict) == (10, pytest.approx(0.4), "inconclusive")


def test_equal_values_decide_only_where_the_quantum_of_the_measurement_is_known(quick):
    equal = {"dynamics_recovery": recovery([4.0] * 5)}
    assert judge(claim(), quick, equal).verdict == "inconclusive"
    known = claim(estimand={"quantum": 1.0})
    found = judge(known, quick, equal)
    assert found.verdict == "supported"
    assert found.estimate.low < 4.0 < found.estimate.high


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
    assert (found.verdict, found.reason) == ("open", "seeds_missing")


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


def test_first_and_last_select_the_ends_of_a_numeric_column():
    table = pd.DataFrame({"epoch": [1, 2, 3, 1, 2, 3], "arm": list("aaabbb")})
    assert select(table, {"arm": "b", "epoch": "last"}).index.tolist() == [5]
    assert select(table, {"epoch": "first"}).index.tolist() == [0, 3]


def test_none_selects_rows_without_a_value():
    table = pd.DataFrame({"arm": ["a", "a", "b"], "steps": [4.0, None, None]})
    assert select(table, {"steps": None}).index.tolist() == [1, 2]
    assert select(table, {"arm": "a", "steps": None}).index.tolist() == [1]


def test_rows_with_a_true_column_are_counted_and_a_constant_part_may_be_negative(quick):
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


def counts(forward, backward):
    n = len(forward)
    return pd.DataFrame({"seed": range(n), "forward": forward, "backward": backward, "status": "ok"})


QUOTIENT = {"column": "backward", "denominator": "forward", "quantum": 1.0, "quantum_below": 1.0}


def test_a_ratio_of_equal_counts_scatters_at_least_as_counts_are_rounded():
    found = STATISTICS["ratio"]([counts([26.0] * 5, [20.0] * 5)], QUOTIENT, Region(0.35, 0.65))
    spread = np.hypot(1 / 26, 1 / 20) / np.sqrt(12)
    half = stats.t.ppf(0.95, 4) * spread / np.sqrt(5)
    assert found.value == pytest.approx(20 / 26)
    assert (found.low, found.high) == pytest.approx((20 / 26 * np.exp(-half), 20 / 26 * np.exp(half)))


def test_several_cells_of_a_seed_round_as_one_does():
    """Equal solvers round alike in all cells, so that the cells' number takes nothing off."""
    cells = pd.concat([counts([26.0] * 5, [20.0] * 5)] * 4)
    one, four = (
        STATISTICS["ratio"]([table], QUOTIENT, Region()) for table in (counts([26.0] * 5, [20.0] * 5), cells)
    )
    assert (four.low, four.high) == pytest.approx((one.low, one.high))


def test_a_threshold_on_a_grid_reaches_from_the_last_that_was_reached_to_the_first_that_was_not():
    table = pd.DataFrame({"seed": range(6), "last": 100.0, "lost": 1000.0})
    estimand = {"column": "last", "until": "lost"}
    found = STATISTICS["threshold"]([table], estimand, Region(low=100.0))
    assert (found.value, found.low, found.high, found.ends) == (100.0, 100.0, 1000.0, "grid")
    assert found.p_inside == pytest.approx(2**-6)
    straddled = STATISTICS["threshold"]([table], estimand, Region(low=500.0))
    assert straddled.p_inside == straddled.p_outside == 1.0
    mixed = table.assign(last=[10.0] * 3 + [100.0] * 3, lost=[100.0] * 3 + [np.inf] * 3)
    found = STATISTICS["threshold"]([mixed], estimand, Region())
    assert (found.value, found.low, found.high) == (10.0, 10.0, np.inf)
    with pytest.raises(ValueError, match="lies below"):
        STATISTICS["threshold"]([table.assign(lost=1.0)], estimand, Region())


def test_means_on_a_grid_of_powers_scatter_at_least_by_its_step():
    table = pd.DataFrame({"seed": range(5), "step": 0.25})
    found = STATISTICS["mean"](
        [table], {"column": "step", "statistic": "mean", "scale": "log", "factor": 2.0}, Region()
    )
    assert found.spread == pytest.approx(np.log(2) / np.sqrt(12))


def test_what_both_sides_share_with_all_seeds_adds_in_squares():
    sides = [
        pd.DataFrame({"seed": range(5), "error": 0.5 + 0.01 * np.arange(5), "se": se}) for se in (0.03, 0.04)
    ]
    found = STATISTICS["difference"](sides, {"column": "error", "shared": "se", "quantum": 1e-3}, Region())
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * 0.05, rel=1e-2)


def test_beside_a_median_stand_medians_in_which_what_ran_away_counts():
    table = pd.concat([recovery([1.0] * 7), recovery([2.0, 3.0, 4.0, 5.0, 6.0, np.nan, np.nan], arm="mlp")])
    entry = {"is": "mlp", "where": {"arm": "mlp"}}
    row = claim("threshold", estimand={"scale": "log"}) | {"beside": [entry, entry | {"statistic": "mean"}]}
    found = _baseline(beside(row["estimand"], row["beside"][0]), {"dynamics_recovery": table})
    assert found == 5.0
    shares = {"dynamics_recovery": recovery([0.0, 100.0, 0.0, 100.0, 100.0], arm="mlp")}
    assert _baseline(beside(row["estimand"], row["beside"][1]), shares) == pytest.approx(60.0)
