"""What is estimated of rows: rates, ratios, slopes, values, counts, and the ends of their intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from odestudy.analysis.estimators import STATISTICS
from odestudy.analysis.ledger import judge
from odestudy.analysis.selecting import select
from odestudy.statistics.region import Region
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
    assert found.verdict == "inconclusive"
    assert "no row" in found.why


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
