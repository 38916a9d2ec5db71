"""Thresholds by bisection."""

from __future__ import annotations

import math

import pytest

from odestudy.measure.threshold import threshold


def test_the_threshold_is_found_to_within_a_twentieth():
    asked = []

    def happens(value):
        asked.append(value)
        return value >= 13.7

    found = threshold(happens, [1.0, 10.0, 100.0])
    assert found.value == pytest.approx(13.7, rel=0.05)
    assert (found.monotone, found.calls) == (True, len(asked))


def test_what_never_happens_has_no_threshold_and_says_how_far_was_tried():
    found = threshold(lambda value: False, [1.0, 50.0])
    assert (found.value, found.tried_to) == (math.inf, 50.0)


def test_an_answer_that_comes_and_goes_on_the_grid_is_no_threshold():
    assert not threshold(lambda value: value in (2.0, 8.0), [1.0, 2.0, 4.0, 8.0]).monotone


@pytest.mark.parametrize("grid", [[], [2.0, 1.0], [0.0, 1.0]])
def test_a_grid_that_does_not_rise_is_refused(grid):
    with pytest.raises(ValueError, match="ascending"):
        threshold(lambda value: True, grid)
