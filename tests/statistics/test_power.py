"""Seeds for a power of 0.8, against simulation and exact sums."""

from __future__ import annotations

import numpy as np
import pytest

from odestudy.statistics.estimates import rate_estimate, t_estimate
from odestudy.statistics.power import seeds_for_mean, seeds_for_rate, seeds_to_decide
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


def test_the_power_of_a_share_is_the_exact_sum():
    n = int(seeds_for_rate(Region(low=0.5), 0.9))
    rng = np.random.default_rng(0)
    found = [rate_estimate(int(k), n, Region(low=0.5)).low >= 0.5 for k in rng.binomial(n, 0.9, 4000)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.15)
    assert np.mean(found) > 0.78


def test_seeds_to_decide_clear_the_bound_and_one_less_does_not():
    region, value, spread = Region(high=5.0), 4.0, 3.0
    n = int(seeds_to_decide(region, value, spread))
    for count, clears in ((n, True), (n - 1, False)):
        x = np.random.default_rng(0).normal(size=count)
        x = (x - x.mean()) / x.std(ddof=1) * spread + value
        assert (t_estimate(x, region).high < 5.0) == clears
