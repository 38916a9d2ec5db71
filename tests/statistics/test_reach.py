"""A rule that can come out one way only is found before any job runs."""

from __future__ import annotations

import math

import pytest

from odestudy.statistics.estimates import rate_estimate
from odestudy.statistics.reach import fewest_seeds, unreachable
from odestudy.statistics.region import Region

LINE = (-math.inf, math.inf)


@pytest.mark.parametrize(
    ("region", "seeds", "options", "never"),
    [
        (Region(low=0.75), 5, {"rate": True, "within": (0, 1)}, "supported"),
        (Region(low=0.75), 11, {"rate": True, "within": (0, 1)}, ""),
        (Region(low=0.5), 5, {"rate": True, "within": (0, 1)}, ""),
        (Region(low=0.5), 4, {"rate": True, "within": (0, 1)}, "supported"),
        (Region(high=0.02), 5, {"rate": True, "within": (0, 1)}, "supported"),
        (Region(low=98), 5, {"within": (0, 100), "quantum": 4.0}, ""),
        (Region(low=99.9), 5, {"within": (0, 100), "quantum": 4.0}, "supported"),
        (Region(low=0), 5, {"within": (0, 100)}, "refuted"),
        (Region(high=0), 5, {"within": (0, math.inf)}, ""),
        (Region(high=-1), 5, {"within": (0, math.inf)}, "supported"),
        (Region(-0.15, 0.15), 5, {"within": LINE}, ""),
        (Region(-0.15, 0.15), 5, {"within": LINE, "quantum": 0.6}, "supported"),
        (Region(high=0), None, {"within": (0, math.inf)}, ""),
        (Region(low=0), None, {"within": (0, math.inf)}, "refuted"),
    ],
)
def test_the_verdict_that_no_outcome_gives(region, seeds, options, never):
    assert unreachable(region, seeds, **options) == never


def test_of_twenty_seeds_a_bound_of_one_half_needs_fifteen():
    region = Region(low=0.5)
    found = [rate_estimate(k, 20, region).low >= 0.5 for k in range(21)]
    assert found.index(True) == 15


def test_the_fewest_seeds_that_would_do_are_told():
    def reaches(n):
        return not unreachable(Region(low=0.75), n, rate=True, within=(0, 1))

    assert fewest_seeds(reaches) == 11
    assert fewest_seeds(lambda n: False) is None
