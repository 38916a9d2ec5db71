"""From the rows of a table to an estimate with its interval, by the statistic that a claim names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from odestudy.analysis.selecting import is_ok
from odestudy.measure.fits import PowerFit, log_slope, power_fit
from odestudy.statistics.estimates import EXACT, RANGE, Estimate, median_estimate, rate_estimate, t_estimate
from odestudy.statistics.region import Region


def _per_seed(rows: pd.DataFrame, estimand: dict[str, Any], log: bool) -> pd.Series:
    """One value a seed; a seed without a value is a ValueError, never left out."""
    if estimand["column"] not in rows:
        raise ValueError(f"no run has a value of {estimand['column']}")
    values = rows[estimand["column"]].astype(float)
    if "denominator" in estimand:
        values = values / rows[estimand["denominator"]].astype(float)
    if not np.isfinite(values).all():
        raise ValueError(
            f"{int((~np.isfinite(values)).sum())} of {len(values)} values are missing or not finite"
        )
    if log:
        if (values <= 0).any():
            raise ValueError("a value is not positive, so no ratio can be formed")
        return np.exp(np.log(values).groupby(rows["seed"]).mean())
    return values.groupby(rows["seed"]).mean()


def is_log(estimand: dict[str, Any]) -> bool:
    """Whether a statistic is decided on logarithms."""
    return estimand["statistic"] == "ratio" or (
        estimand["statistic"] in ("mean", "value", "threshold") and estimand.get("scale") == "log"
    )


def _mean(sides: list[pd.DataFrame], estimand: dict[str, Any], region: Region) -> Estimate:
    log = is_log(estimand)
    values = _per_seed(sides[0], estimand, log).tolist()
    quantum, within = estimand.get("quantum", 0.0), estimand.get("range")
    if log and "factor" in estimand:  # the step of a grid of powers, on the logarithm's scale
        quantum = max(quantum, float(np.log(estimand["factor"]) * np.exp(np.mean(np.log(values)))))
    return t_estimate(
        values, region, log=log, within=within, quantum=quantum, shared=_shared(sides, estimand)
    )


def _paired(sides: list[pd.DataFrame], estimand: dict[str, Any], log: bool) -> tuple[np.ndarray, np.ndarray]:
    one, other = (_per_seed(side, estimand, log) for side in sides)
    if set(one.index) != set(other.index):
        raise ValueError("the two sides have different seeds")
    return one.to_numpy(), other.loc[one.index].to_numpy()


def _ratio(sides: list[pd.DataFrame], estimand: dict[str, Any], region: Region) -> Estimate:
    """Decided on logarithms; two measurements with a quantum scatter by at least that much, relative to their size.

    A seed whose value is the geometric mean of several cells is rounded as a single cell is in the mean: were the cells'
    roundings independent it would be less, but equal solvers round alike. For the same reason a mean of counts, as those of
    an epoch's steps, has the quantum of one count. Both make intervals wider than need be, and never narrower.
    """
    if "denominator" in estimand:
        ratios = _per_seed(sides[0], estimand, True).to_numpy()
        parts = [
            (sides[0], estimand["column"], "quantum"),
            (sides[0], estimand["denominator"], "quantum_below"),
        ]
    else:
        one, other = _paired(sides, estimand, True)
        ratios = one / other
        parts = [(side, estimand["column"], "quantum") for side in sides]
    relative = math.hypot(*(_relative(rows[name], estimand.get(of, 0.0)) for rows, name, of in parts))
    return t_estimate(
        ratios.tolist(), region, log=True, quantum=relative * float(np.exp(np.log(ratios).mean()))
    )


def _relative(values: pd.Series, quantum: float) -> float:
    """A quantum over the values, in the mean."""
    return float((quantum / values.astype(float)).mean()) if quantum else 0.0


def _difference(sides: list[pd.DataFrame], estimand: dict[str, Any], region: Region) -> Estimate:
    one, other = _paired(sides, estimand, False)
    quantum = estimand.get("quantum", 0.0) * np.sqrt(2)
    return t_estimate((one - other).tolist(), region, quantum=quantum, shared=_shared(sides, estimand))


def _shared(sides: list[pd.DataFrame], estimand: dict[str, Any]) -> float:
    """Standard error of what all seeds share, the same in each row of a side; two sides' add as if independent."""
    if "shared" not in estimand:
        return 0.0
    return math.hypot(*(float(_column(side, estimand["shared"]).iloc[0]) for side in sides))


def _rate(sides: list[pd.DataFrame], estimand: dict[str, Any], region: Region) -> Estimate:
    """The share of seeds whose runs all end ok and reach what is asked: runs within a seed are not independent."""
    rows = sides[0]
    good = is_ok(rows)
    if asked := estimand.get("success"):
        values = _column(rows, estimand["column"])
        good &= (values >= asked.get("at_least", -np.inf)) & (values <= asked.get("at_most", np.inf))
    seeds = good.groupby(rows["seed"]).all()
    return rate_estimate(int(seeds.sum()), len(seeds), region)


def _threshold(sides: list[pd.DataFrame], estimand: dict[str, Any], region: Region) -> Estimate:
    """The median of one threshold a seed; infinite where a seed's runs reached none.

    Of a column that says `until`, thresholds on a grid, up to the first point that was not reached.
    """
    rows = sides[0]

    def by_seed(name: str) -> list[float]:
        return _column(rows, estimand[name]).fillna(np.inf).groupby(rows["seed"]).min().tolist()

    return median_estimate(by_seed("column"), region, by_seed("until") if "until" in estimand else None)


def _column(rows: pd.DataFrame, column: str) -> pd.Series:
    if column not in rows:
        raise ValueError(f"no run has a value of {column}")
    return rows[column].astype(float)


def _value(sides: list[pd.DataFrame], estimand: dict[str, Any], region: Region) -> Estimate:
    """A deterministic value; several rows give their mean as value and their range as interval."""
    values = _column(sides[0], estimand["column"])
    if not np.isfinite(values).all():
        raise ValueError(
            f"{int((~np.isfinite(values)).sum())} of {len(values)} values are missing or not finite"
        )
    log = estimand.get("scale") == "log" and bool((values > 0).all())
    mean = np.exp(np.log(values).mean()) if log else values.mean()
    ends = RANGE if len(values) > 1 else EXACT
    return Estimate(float(mean), float(values.min()), float(values.max()), len(values), ends=ends)


def _ratio_value(sides: list[pd.DataFrame], estimand: dict[str, Any], region: Region) -> Estimate:
    one, other = (_column(side, estimand["column"]) for side in sides)
    if one.nunique() != 1 or other.nunique() != 1:
        raise ValueError("a deterministic ratio needs one value on each side")
    ratio = float(one.iloc[0] / other.iloc[0])
    return Estimate(ratio, ratio, ratio, 1)


def _fits(sides: list[pd.DataFrame], estimand: dict[str, Any]) -> list[PowerFit]:
    for column in (estimand["over"], estimand["column"]):
        _column(sides[0], column)
    rows = sides[0].dropna(subset=[estimand["over"], estimand["column"]])
    # A seed has several points, so that noisy ones can be spared; of a ratio each is needed, and its noise widens the interval.
    if estimand["column"] == "wall_s" and "noisy" in rows:
        seeds = set(rows["seed"])
        rows = rows[~rows["noisy"].astype(str).eq("True")]
        if lost := len(seeds - set(rows["seed"])):
            raise ValueError(f"{lost} seeds have no quiet timing")
    return [
        power_fit(r[estimand["over"]].tolist(), r[estimand["column"]].tolist())
        for _, r in rows.groupby("seed")
    ]


def _exponent(sides: list[pd.DataFrame], estimand: dict[str, Any], region: Region) -> Estimate:
    """One exponent a seed; several give their mean and interval, a single one, of counts, is exact."""
    return _spread([fit.alpha for fit in _fits(sides, estimand)], region)


def _growth_share(sides: list[pd.DataFrame], estimand: dict[str, Any], region: Region) -> Estimate:
    return _spread([fit.share for fit in _fits(sides, estimand)], region)


def _constant_share(sides: list[pd.DataFrame], estimand: dict[str, Any], region: Region) -> Estimate:
    """The constant part over the part that grows, at the largest N; below zero where the fit starts below it."""
    most = float(sides[0][estimand["over"]].max())
    fits = _fits(sides, estimand)
    if flat := sum(not fit.b for fit in fits):
        raise ValueError(f"{flat} seeds have no part that grows")
    return _spread([fit.a / (fit.b * most**fit.alpha) for fit in fits], region)


def _count(sides: list[pd.DataFrame], estimand: dict[str, Any], region: Region) -> Estimate:
    """How many rows have the column set."""
    count = float(sides[0][estimand["column"]].astype(str).eq("True").sum())
    return Estimate(count, count, count, 1)


def _slope(sides: list[pd.DataFrame], estimand: dict[str, Any], region: Region) -> Estimate:
    """One slope a job and seed; several give their mean and interval, a single one, of counts, is exact."""
    fits = [
        log_slope(r[estimand["over"]].tolist(), r[estimand["column"]].tolist())
        for _, r in sides[0].groupby(["job", "seed"])
    ]
    return _spread([fit.value for fit in fits], region)


def _spread(values: list[float], region: Region) -> Estimate:
    if not values:
        raise ValueError("no rows to fit")
    if len(values) == 1:
        return Estimate(values[0], values[0], values[0], 1)
    return t_estimate(values, region)


STATISTICS = {
    "mean": _mean,
    "ratio": _ratio,
    "difference": _difference,
    "rate": _rate,
    "threshold": _threshold,
    "value": _value,
    "ratio_value": _ratio_value,
    "exponent": _exponent,
    "growth_share": _growth_share,
    "constant_share": _constant_share,
    "count": _count,
    "slope": _slope,
}
