"""What `odestudy fit` says of noise: its size, the signal over time, and the error of even the right model."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from odestudy.fit.judge import HeldOut, answer
from odestudy.fit.model import Ensemble
from odestudy.fit.noise import least_error, noise_of, signal_to_noise
from odestudy.fit.observations import Table
from odestudy.fit.report import _signal
from odestudy.nets.dynamics import MODELS
from odestudy.recovery.units import Units
from odestudy.userdata.columns import columns_of

FOCUS = np.array([[-0.5, -1.0], [1.0, -0.5]])
COLUMNS = columns_of(["u", "v", "t"])


def focus(t, noise, start=(1.0, 0.0), seed=0):
    """A decaying spiral with noise of the given size in each column."""
    u, v = start
    turned = np.stack([u * np.cos(t) - v * np.sin(t), u * np.sin(t) + v * np.cos(t)], axis=1)
    clean = np.exp(-0.5 * t)[:, None] * turned
    return clean + noise * np.random.default_rng(seed).standard_normal(clean.shape)


def table_of(*trajectories):
    t, y = zip(*trajectories, strict=True)
    return Table([str(k) for k in range(len(t))], list(t), list(y), COLUMNS[:2], COLUMNS[2], [])


@pytest.fixture(scope="module")
def right():
    """An ensemble of one, which is the true spiral."""
    model = MODELS["linear"](2, 1).double()
    with torch.no_grad():
        next(model.parameters()).copy_(torch.as_tensor(FOCUS))
    found = Ensemble([model], Units(np.zeros(2), np.ones(2), 1.0), "linear", 1, 1, 0, [0.0])
    assert found.slope([[1.0, 0.0]])[0] == pytest.approx(FOCUS[:, 0])
    return found


def test_the_noise_of_each_column_is_found_on_irregular_times():
    t = np.sort(np.random.default_rng(1).uniform(0, 4, 400))
    found = noise_of(table_of((t, focus(t, np.array([0.01, 0.03])))))
    assert found == pytest.approx([0.01, 0.03], rel=0.15)


def test_without_noise_next_to_none_is_found():
    t = np.linspace(0, 4, 60)
    assert noise_of(table_of((t, focus(t, 0.0)))).max() < 1e-4


def test_a_decayed_trajectory_is_lost_in_noise_at_its_end_and_the_report_says_where():
    t = np.linspace(0, 15, 300)
    table = table_of((t, focus(t, 0.05)))
    ratios = signal_to_noise(table, noise_of(table))
    assert ratios[0] == pytest.approx(0.4 / 0.05, rel=0.3)
    assert ratios[-1] < 0.5
    assert "last fifth the state moves less than the noise" in _signal(table)
    early = table_of((t[:60], focus(t[:60], 0.01)))
    assert "moves less than the noise" not in _signal(early)


def test_no_error_of_the_right_model_on_held_out_points_is_below_the_least(right):
    t = np.linspace(0, 3, 40)
    noise = 0.03
    table = table_of(*((t, focus(t, noise, seed=k)) for k in range(200)))
    seen, spread = table.until(0.8), table.observed().spread
    start = len(seen.t[0]) - 1
    errors = [(right.forecast(y[start], t[start:]) - y[start:])[1:] / spread for y in table.y]
    measured = float(np.sqrt(np.mean(np.square(errors))))
    assert least_error(table, seen, right, np.full(2, noise)) == pytest.approx(measured, rel=0.1)
    assert least_error(table, seen, right, np.zeros(2)) == 0


def test_the_answer_tells_noise_from_too_few_data():
    common = {"points": 9, "still": 1.0}
    assert "The data suffice" in answer(HeldOut(**common, error=0.1, seen=0.09, least=0.08))
    assert "The data do not suffice" in answer(HeldOut(**common, error=0.5, seen=0.45, least=0.4))
    assert "More data would help" in answer(HeldOut(**common, error=0.5, seen=0.1, least=0.1))
    assert "More data alone would not help" in answer(HeldOut(**common, error=0.5, seen=0.45, least=0.1))


def test_growth_without_noise_moves_far_above_what_is_taken_for_noise():
    t = np.linspace(0, 10, 20)
    table = table_of((t, np.stack([np.exp(t), 2 * np.exp(t)], axis=1)))
    assert min(signal_to_noise(table, noise_of(table))) > 10
    assert "bending from row to row counts as noise" in _signal(table)


def test_too_few_rows_for_the_signal_over_time_are_told_in_a_sentence():
    t = np.array([0.0, 1.0, 2.0])
    text = _signal(table_of((t, focus(t, 0.0))))
    assert text.startswith("**Signal to noise.** Too few rows")
    assert "n/a" not in text


@pytest.mark.parametrize(("error", "still", "least"), [(0.904, 1.41, 1.12), (1.60, 1.63, 0.1)])
def test_a_fit_that_hardly_beats_the_mean_is_not_said_to_forecast(error, still, least):
    text = answer(HeldOut(points=9, error=error, still=still, seen=error, least=least))
    assert text.startswith("**This fit does not forecast what it did not see**")
    assert "has to be below 0.8, as their mean is off by 1" in text
    assert ("even the right model would be off by" in text) == (least < error)
    assert ("noise the right model would be off by about 1.12" in text) == (least > error)
    assert answer(HeldOut(points=9, error=0.6, still=still, seen=0.6, least=0.1)).startswith(
        "**This fit forecasts roughly what it did not see**"
    )
