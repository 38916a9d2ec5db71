"""Seeds for a power of 0.8, against simulation and exact sums."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from odestudy.statistics.estimates import t_estimate
from odestudy.statistics.power import power_of_rate, seeds_for_mean, seeds_for_rate, seeds_to_decide
from odestudy.statistics.region import Region


def share_supported(region, truth, spread, n, tries=2000):
    rng = np.random.default_rng(0)
    found = [t_estimate(rng.normal(truth, spread, n), region) for _ in range(tries)]
    return np.mean([region.low <= e.low and e.high <= region.high for e in found])


@pytest.mark.parametrize(
    ("region", "truth", "spread"),
    [(Region(high=0.9), 0.7, 0.3), (Region(-0.15, 0.15), 0.0, 0.2), (Region(low=0), 1, 3)],
)
def test_so_many_seeds_meet_the_rule_in_four_of_five_studies(region, truth, spread):
    n = int(seeds_for_mean(region, truth, spread))
    assert share_supported(region, truth, spread, n) > 0.77
    assert share_supported(region, truth, spread, n // 2) < 0.77


def test_an_effect_that_is_far_beyond_the_spread_takes_the_fewest_and_one_without_effect_no_number():
    assert seeds_for_mean(Region(low=0), 10, 0.1) == 5
    assert np.isnan(seeds_for_mean(Region(low=0), 1e-9, 1.0))


def exact_power(region, truth, n):
    """By the tails of the binomial themselves: which counts are too many at the lower bound, and too few at the upper one."""
    k = np.arange(n + 1)
    good = np.ones(n + 1, dtype=bool)
    if np.isfinite(region.low):
        good &= stats.binom.sf(k - 1, n, region.low) <= 0.05
    if np.isfinite(region.high):
        good &= stats.binom.cdf(k, n, region.high) <= 0.05
    return stats.binom.pmf(k, n, truth)[good].sum()


@pytest.mark.parametrize(
    ("region", "truth", "needed"),
    [(Region(low=0.5), 0.9, 11), (Region(low=0.5), 0.85, None), (Region(high=0.9), 0.7, None)],
)
def test_a_share_keeps_its_power_with_more_seeds(region, truth, needed):
    n = int(seeds_for_rate(region, truth))
    assert needed in (None, n)
    assert exact_power(region, truth, n - 1) < 0.8
    assert all(exact_power(region, truth, more) >= 0.8 for more in range(n, n + 60))
    assert power_of_rate(region, truth, n) == pytest.approx(exact_power(region, truth, n))


def test_planned_seeds_suffice_where_the_steps_of_the_binomial_let_them():
    region = Region(low=0.5)
    assert [seeds_for_rate(region, 0.9, planned) for planned in (8, 9, 10, 20)] == [8, 11, 11, 11]
    assert exact_power(region, 0.9, 9) == pytest.approx(0.775, abs=1e-3)


def test_a_share_that_lies_on_its_bound_takes_no_number_of_seeds():
    assert np.isnan(seeds_for_rate(Region(low=0.5), 0.5))


def test_seeds_to_decide_clear_the_bound_and_one_less_does_not():
    region, value, spread = Region(high=5.0), 4.0, 3.0
    n = int(seeds_to_decide(region, value, spread))
    for count, clears in ((n, True), (n - 1, False)):
        x = np.random.default_rng(0).normal(size=count)
        x = (x - x.mean()) / x.std(ddof=1) * spread + value
        assert (t_estimate(x, region).high < 5.0) == clears


def test_what_all_seeds_share_asks_for_more_of_them_or_leaves_none_that_decide():
    region = Region(high=0.0)
    alone = seeds_to_decide(region, -0.034, 0.04)
    assert seeds_to_decide(region, -0.034, 0.04, shared=0.015) > alone
    assert np.isnan(
        seeds_to_decide(region, -0.034, 0.04, shared=0.024)
    )  # 1.64 of it are more than the distance
