"""The time to equal errors, from trainings of several lengths."""

from __future__ import annotations

import pytest

from odestudy.questions.images.equal_error import _same_lengths, _times, epochs_to


def test_epochs_to_an_error_follow_its_power_of_them():
    halving = {1: 4.0, 2: 2.0, 4: 1.0}
    assert epochs_to(halving, 1.0) == pytest.approx(4)
    assert epochs_to(halving, 2**0.5) == pytest.approx(8**0.5)
    assert epochs_to(halving, 9.0) == pytest.approx(1)


def test_of_trainings_of_the_same_error_the_shortest_counts():
    assert epochs_to({1: 1.18, 2: 0.77, 5: 0.48, 10: 0.48, 20: 0.41}, 0.48) == pytest.approx(5)


def test_an_error_that_rises_by_chance_is_not_taken_for_a_later_time():
    assert epochs_to({1: 4.0, 2: 1.0, 5: 1.1}, 1.1) < 2.0


@pytest.mark.parametrize(("ours", "theirs"), [(1.0, 0.5), (0.5, 1.0)])
def test_both_are_held_to_the_larger_of_the_last_errors_and_steps_have_their_own_time(ours, theirs):
    def curve(last):
        return {1: 4 * last, 2: 2 * last, 4: last}

    steps = {("mnist", "odenet_adjoint", 0): 0.08, ("mnist", "resnet6", 0): 0.01}
    longer = {20: 0.01}  # than the longest that counts
    sides = _same_lengths(curve(ours) | longer, curve(theirs) | longer, longest=4)
    row = _times(sides, steps, ("mnist", "odenet_adjoint", 0), longest=4)
    assert row["level_error_pct"] == 1.0
    assert (row["epochs_needed"], row["epochs_other"]) == pytest.approx((4 * ours, 4 * theirs))
    assert row["times_train_s"] == pytest.approx(8 * ours / theirs)


def test_nets_of_other_lengths_are_not_compared():
    both, lacks_two = {1: 4.0, 2: 2.0, 5: 1.0}, {1: 4.0, 5: 1.0}
    assert _same_lengths(both, lacks_two, longest=5) is None
    assert _same_lengths(both, lacks_two, longest=1) == ({1: 4.0}, {1: 4.0})
    assert _same_lengths(both, both, longest=10) is None
