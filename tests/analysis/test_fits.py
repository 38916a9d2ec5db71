"""Power laws and slopes against closed forms and scipy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from odestudy.analysis.estimators import STATISTICS
from odestudy.measure.fits import log_slope, power_fit
from odestudy.statistics.region import Region


@pytest.mark.parametrize(
    ("alpha", "a", "b"), [(1.0, 50.0, 1.0), (1.0, 1.0, 1.0), (0.5, 3.0, 2.0), (2.0, 100.0, 0.1)]
)
def test_a_power_law_with_intercept_is_found_where_a_raw_slope_is_fooled(alpha, a, b):
    n = np.array([4, 8, 16, 32, 64])
    fit = power_fit(n, a + b * n**alpha)
    assert (fit.alpha, fit.a, fit.b) == pytest.approx((alpha, a, b), rel=1e-4)
    assert fit.share == pytest.approx(b * 64**alpha / a, rel=1e-4)


def test_the_interval_of_an_exponent_is_that_of_scipys_nonlinear_regression():
    from scipy import optimize

    n = np.array([4.0, 8.0, 16.0, 32.0, 64.0, 128.0])
    y = 3 + 0.7 * n**1.2 * np.array([1.02, 0.97, 1.01, 1.03, 0.98, 1.0])
    fit = power_fit(n.tolist(), y.tolist())
    found, covariance = optimize.curve_fit(lambda x, a, b, c: a + b * x**c, n, y, p0=[3.0, 0.7, 1.2])
    half = scipy_stats.t.ppf(0.975, len(n) - 3) * np.sqrt(covariance[2, 2])
    assert (fit.alpha, fit.high - fit.alpha) == pytest.approx((found[2], half), rel=1e-3)
    assert fit.low < 1.2 < fit.high


def test_a_constant_grows_by_no_share():
    assert power_fit([4, 8, 16, 32], [2.0] * 4).share == 0.0


def test_a_fit_to_three_points_is_refused():
    with pytest.raises(ValueError, match="four"):
        power_fit([1, 2, 3], [1, 2, 3])


def test_a_log_slope_is_the_power_with_the_interval_of_the_regression():
    x = np.array([0.1, 0.2, 0.4, 0.8])
    exact = log_slope(x.tolist(), (3 * x**2).tolist())
    assert (exact.value, exact.low, exact.high) == pytest.approx((2.0, 2.0, 2.0))
    bent = log_slope(x.tolist(), (x**2 + 0.1 * x**3).tolist())
    assert bent.low < bent.value < bent.high
    assert bent.value == pytest.approx(scipy_stats.linregress(np.log(x), np.log(x**2 + 0.1 * x**3)).slope)


@pytest.mark.parametrize("y", [[1.0, 2.0], [1.0, 0.0, 2.0], [1.0, np.nan, 2.0]])
def test_a_log_slope_needs_three_positive_values(y):
    with pytest.raises(ValueError, match="three finite positive"):
        log_slope([1.0, 2.0, 4.0][: len(y)], y)


def test_a_law_of_time_leaves_noisy_timings_out_and_a_law_of_memory_does_not():
    n = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]
    rows = pd.DataFrame({"seed": 0, "n": n, "wall_s": [x**2 for x in n], "saved_mib": n, "noisy": False})
    rows.loc[3, ["wall_s", "noisy"]] = [900.0, True]
    law = {"over": "n", "statistic": "exponent"}
    time = STATISTICS["exponent"]([rows], law | {"column": "wall_s"}, Region())
    assert time.value == pytest.approx(2, abs=1e-6)
    rows["saved_mib"] = [x**1.5 for x in n]
    kept = STATISTICS["exponent"]([rows.assign(noisy=True)], law | {"column": "saved_mib"}, Region())
    assert kept.value == pytest.approx(1.5, abs=1e-6)
    with pytest.raises(ValueError, match="1 seeds have no quiet timing"):
        STATISTICS["exponent"]([rows.assign(noisy=True)], law | {"column": "wall_s"}, Region())
