"""Spirals and temperatures: times, noise, truth."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from odestudy.questions.timeseries import elnino
from odestudy.questions.timeseries.spirals import KINDS, SPACINGS, linear, spirals
from tests.spirals import some


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spacing", SPACINGS)
def test_times_ascend_and_are_judged_inside_and_behind_what_was_observed(kind, spacing):
    data, window = some(kind=kind, spacing=spacing), KINDS[kind].window
    for t in (data.t, data.inner_t, data.outer_t):
        assert bool((t.diff(dim=-1) > 0).all())
    assert bool((data.t >= 0).all() and (data.t < window).all())
    assert bool((data.inner_t >= data.t[..., :1]).all() and (data.inner_t <= data.t[..., -1:]).all())
    assert bool((data.outer_t >= window).all() and (data.outer_t < 2 * window).all())


@pytest.mark.parametrize("kind", KINDS)
def test_every_other_spiral_is_clockwise(kind):
    data = some(kind=kind, count=20, observed=100, spacing="even", noise=1e-12)
    step = data.x.diff(dim=2)
    turn = step[..., :-1, 0] * step[..., 1:, 1] - step[..., :-1, 1] * step[..., 1:, 0]
    clockwise = (turn < 0).double().mean(-1)[0]
    assert bool((clockwise[::2] == 1).all() and (clockwise[1::2] == 0).all())


def test_the_spirals_of_the_walk_through_solve_their_linear_ode():
    truth = linear(np.array([True, False]), np.random.default_rng(3))
    h = 1e-4
    t = np.tile(np.array([0.0, 0.7, 1.1, 2.0, 3.3]), (2, 1))
    slope, states = (truth(t + h) - truth(t - h)) / (2 * h), truth(t)
    for y, dy in zip(states, slope, strict=True):
        matrix, *_ = np.linalg.lstsq(y, dy, rcond=None)
        np.testing.assert_allclose(y @ matrix, dy, atol=1e-6)
        assert (np.linalg.eigvals(matrix).real < 0).all()


def test_noise_has_the_deviation_asked_for_and_the_truth_has_none():
    data = some(count=400, noise=0.3)
    assert float((data.inner_noisy - data.inner).std()) == pytest.approx(0.3, rel=0.05)
    again = some(count=400, noise=0.01)
    torch.testing.assert_close(data.inner, again.inner)


def test_unknown_kinds_and_counts_are_refused_with_what_is_allowed():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="archimedean, linear"):
        spirals("round", 4, "even", 5, 0.1, rng)
    with pytest.raises(ValueError, match="2 to 100"):
        spirals("linear", 4, "even", 101, 0.1, rng)


def test_temperatures_of_the_test_years_are_not_in_the_training_windows():
    table = elnino.temperatures()
    assert table.shape == (61, 12)
    train_part, _, _ = elnino.elnino("train", 12, np.random.default_rng(0))
    test_part, inner, _ = elnino.elnino("test", 12, np.random.default_rng(0))
    mean, std = table[: elnino.TRAIN_YEARS].mean(), table[: elnino.TRAIN_YEARS].std()
    last = (table[elnino.TRAIN_YEARS - 1, -1] - mean) / std
    assert float(train_part.outer[-1, -1, 0]) == pytest.approx(last)
    first = (table[elnino.TRAIN_YEARS, 0] - mean) / std
    assert float(test_part.x[0, 0, 0]) == pytest.approx(first)
    months = torch.cat([test_part.t, test_part.inner_t], 1).mul(elnino.MONTHS_A_UNIT).sort(1).values
    assert bool((months == torch.arange(elnino.MONTHS)).all())
    assert inner.shape == tuple(test_part.inner.shape)


# --- layers
