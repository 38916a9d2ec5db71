"""Intervals and the p values that go with them, against closed forms, scipy and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from odestudy.statistics.estimates import median_estimate, rate_estimate, t_estimate
from odestudy.statistics.region import Region
from odestudy.statistics.tests import holm, mcnemar_p

FIVE = [1.0, 2.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize(("region", "level"), [(Region(), 0.95), (Region(low=0), 0.9), (Region(0, 9), 0.9)])
def test_the_t_interval_is_that_of_the_textbook_at_the_level_that_decides(region, level):
    found = t_estimate(FIVE, region)
    low, high = stats.t.interval(level, 4, loc=3, scale=np.sqrt(2.5 / 5))
    assert (found.value, found.low, found.high, found.spread) == pytest.approx((3, low, high, np.sqrt(2.5)))


def test_the_log_interval_is_that_of_the_logarithms():
    x = np.array([1.0, 10.0, 100.0, 10.0, 5.0])
    found, plain = t_estimate(x, Region(), log=True), t_estimate(np.log(x), Region())
    assert (found.value, found.low, found.high) == pytest.approx(
        tuple(np.exp([plain.value, plain.low, plain.high]))
    )


@pytest.mark.parametrize("high", [2.0, 3.5, 4.4, 4.6, 5.2, np.inf])
@pytest.mark.parametrize("low", [-np.inf, 0.5, 1.4, 1.6])
def test_p_below_five_percent_says_the_same_as_the_interval(low, high):
    region = Region(low, high)
    if not region.judges:
        return
    found = t_estimate(FIVE, region)
    assert (found.p_inside < 0.05) == (low < found.low and found.high < high)
    assert (found.p_outside < 0.05) == (found.high < low or found.low > high)


def test_p_is_scipys_one_sided_t_test_at_a_single_bound():
    x = [0.3, 0.1, 0.4, 0.2, 0.6, 0.3]
    found = t_estimate(x, Region(low=0.25))
    assert found.p_inside == pytest.approx(stats.ttest_1samp(x, 0.25, alternative="greater").pvalue)
    assert found.p_outside == pytest.approx(stats.ttest_1samp(x, 0.25, alternative="less").pvalue)


def test_equal_values_scatter_by_the_quantum_of_the_measurement_and_without_one_have_no_interval():
    found = t_estimate([100.0] * 5, Region(high=93.75), within=(0, 100), quantum=12.5)
    assert found.low < 100 == found.high
    assert 0 < found.p_outside < 0.05
    with pytest.raises(ValueError, match="all 5 values are equal"):
        t_estimate([100.0] * 5, Region(high=93.75))


def test_what_all_seeds_share_widens_the_interval_and_more_seeds_do_not_take_it_away():
    rng = np.random.default_rng(0)
    values = rng.normal(size=400) * 0.1
    alone, shared = (t_estimate(values, Region(-1, 1), shared=s) for s in (0.0, 0.5))
    assert alone.high - alone.low < 0.05
    assert shared.high - shared.low == pytest.approx(2 * 1.645 * 0.5, rel=0.02)


@pytest.mark.parametrize("values", [[1.0], [1.0, np.nan, 2.0]])
def test_an_interval_without_enough_finite_values_is_refused(values):
    with pytest.raises(ValueError, match="finite"):
        t_estimate(values, Region())


def test_a_geometric_mean_of_a_negative_value_is_refused():
    with pytest.raises(ValueError, match="positive"):
        t_estimate([1.0, -1.0], Region(), log=True)


@pytest.mark.parametrize(("n", "needed"), [(5, 5), (7, 7), (8, 7), (10, 9), (20, 15)])
def test_a_share_needs_so_many_successes_to_be_above_one_half(n, needed):
    low = [rate_estimate(k, n, Region(low=0.5)).low for k in range(n + 1)]
    assert min(k for k in range(n + 1) if low[k] >= 0.5) == needed


@pytest.mark.parametrize("successes", [0, 3, 10, 17, 20])
@pytest.mark.parametrize("bound", [0.2, 0.5, 0.8])
def test_exact_bounds_and_p_are_those_of_scipys_binomial_test(successes, bound):
    found = rate_estimate(successes, 20, Region(low=bound))
    test = stats.binomtest(successes, 20, bound, alternative="greater")
    assert found.p_inside == pytest.approx(test.pvalue)
    assert (found.low, found.high) == pytest.approx(
        stats.binomtest(successes, 20).proportion_ci(0.9, "exact"), abs=1e-12
    )
    assert (found.p_inside < 0.05) == (found.low > bound)
    assert (found.p_outside < 0.05) == (found.high < bound)


def test_six_values_cover_the_median_with_the_probability_of_the_sign_test():
    six = [3.0, 1.0, 2.0, 6.0, 5.0, 4.0]
    found = median_estimate(six, Region())
    assert (found.value, found.low, found.high) == (3.5, 1.0, 6.0)
    with pytest.raises(ValueError, match="5 values are too few"):
        median_estimate(six[:5], Region())
    assert median_estimate(six[:5], Region(low=0.5)).low == 1.0  # 93.75 % at the level of a rule


def test_a_threshold_that_was_not_reached_is_above_every_bound():
    found = median_estimate([np.inf] * 5 + [20.0], Region(low=10.0))
    assert (found.value, found.low) == (np.inf, 20.0)
    assert found.p_inside == pytest.approx(0.5**6)


def test_ninety_percent_intervals_of_the_median_cover_it_as_often_in_a_simulation():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(400):
        found = median_estimate(rng.exponential(size=11), Region(low=0))
        hits += found.low <= np.log(2) <= found.high
    assert hits / 400 >= 0.87


def test_holm_is_the_textbooks_and_leaves_out_what_has_no_p():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    adjusted = holm([0.02, np.nan, 0.04])
    assert adjusted[[0, 2]] == pytest.approx([0.04, 0.04])
    assert np.isnan(adjusted[1])


def test_mcnemar_counts_only_what_differs():
    a = np.array([True] * 8 + [False] * 2 + [True] * 90)
    b = np.array([False] * 8 + [True] * 2 + [True] * 90)
    assert mcnemar_p(a, b) == pytest.approx(stats.binomtest(8, 10).pvalue)
    assert mcnemar_p(a, a) == 1.0


def test_no_p_is_zero_however_far_from_the_bound_the_values_are():
    x = 1e6 + np.arange(10)
    for region in (Region(high=0.0), Region(low=2e6), Region(-1.0, 1.0)):
        found = t_estimate(x, region)
        assert 0 < found.p_outside < 1e-30
        assert found.p_inside == pytest.approx(1.0)
