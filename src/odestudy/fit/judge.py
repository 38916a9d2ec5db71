"""The error of a fit on held-out observations, and whether more data would help."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odestudy.analysis.values import number
from odestudy.fit.model import Ensemble
from odestudy.fit.noise import least_error, noise_of
from odestudy.fit.observations import Table

SHARE = 0.8  # of each trajectory, for the fit that is judged on the rest
GOOD = 0.2  # standard deviations of the data: what counts as recovered in the study, too
BEATEN = 0.8  # standard deviations: what a forecast has to stay below, as their mean is off by one
AS_GOOD = 1.5  # times the error on what was seen, with ROOM for errors near zero: not worse
ROOM = 0.02


@dataclass(frozen=True)
class HeldOut:
    """Errors of forecasts over points held out, root mean squares in standard deviations of the data.

    Attributes:
        points: how many were held out.
        error: of the forecast; nan where it could not be continued.
        still: of the forecast that nothing changes.
        seen: of forecasts over stretches as long before them, which the fit did see.
        least: that the right model would have as well, because of the noise.
    """

    points: int
    error: float
    still: float
    seen: float
    least: float

    @property
    def useful(self) -> bool:
        return self.error < self.still and self.beats_mean

    @property
    def beats_mean(self) -> bool:
        """Whether it is clearly nearer than the mean of the data, which is off by a standard deviation."""
        return self.error < BEATEN

    @property
    def good(self) -> bool:
        return self.useful and self.error <= GOOD

    @property
    def as_good_as_can_be(self) -> bool:
        """Whether the right model would hardly do better."""
        return self.error <= AS_GOOD * self.least + ROOM

    @property
    def enough(self) -> bool:
        """Whether what was not seen is forecast about as well as what was."""
        return self.error <= AS_GOOD * self.seen + ROOM


def can_hold_out(table: Table) -> bool:
    """Whether any trajectory is long enough to hold points out."""
    return any(len(s) < len(t) for s, t in zip(table.until(SHARE).t, table.t, strict=True))


def held_out(table: Table, seen: Table, ensemble: Ensemble) -> HeldOut:
    """Forecasts of an ensemble that was trained on the first part of each trajectory, over the rest."""
    spread = table.observed().spread
    wrong: dict[str, list[np.ndarray]] = {"error": [], "still": [], "seen": []}
    for t, y, s in zip(table.t, table.y, seen.t, strict=True):
        last, more = len(s) - 1, len(t) - len(s)
        if more:
            first = max(0, last - more)
            wrong["error"].append((ensemble.forecast(y[last], t[last:]) - y[last:])[1:] / spread)
            wrong["still"].append((y[last] - y[last:])[1:] / spread)
            past = ensemble.forecast(y[first], t[first : last + 1])
            wrong["seen"].append((past - y[first : last + 1])[1:] / spread)
    errors = {name: float(np.sqrt(np.mean(np.concatenate(e) ** 2))) for name, e in wrong.items()}
    least = least_error(table, seen, ensemble, noise_of(seen))
    return HeldOut(points=sum(map(len, wrong["error"])), **errors, least=least)


def answer(judged: HeldOut | None) -> str:
    """How good, compared with what, and whether the data suffice, in Markdown."""
    if judged is None:
        return (
            "**Nobody can tell how good this fit is:** no trajectory is long enough to hold points out. These are too few "
            "data; longer trajectories would tell."
        )
    kept = f"the last {round(100 * (1 - SHARE))} % of each trajectory ({judged.points} points), which the fit did not see"
    if judged.error != judged.error:
        return f"**Do not trust this fit:** its forecast of {kept}, could not be continued to the end."
    if judged.error >= judged.still:
        said = "**This fit forecasts no better than standing still**"
    elif not judged.beats_mean:
        said = "**This fit does not forecast what it did not see**"
    else:
        said = f"**This fit forecasts {'well' if judged.good else 'roughly'} what it did not see**"
    asked = (
        ""
        if judged.beats_mean
        else f" (to forecast it has to be below {BEATEN:g}, as their mean is off by 1)"
    )
    errors = (
        f"on {kept}, the root mean square error is {number(judged.error)} standard deviations of the data{asked}; that nothing "
        f"changes would be wrong by {number(judged.still)}."
    )
    return f"{said}: {errors} {_data(judged)}"


def _data(judged: HeldOut) -> str:
    """Whether the data suffice: by what the noise allows, and by the error on what was seen."""
    even, about = ("even ", "") if judged.least <= judged.error else ("", "about ")  # an estimate is no limit
    least = f"because of the noise {even}the right model would be off by {about}{number(judged.least)}"
    seen = f"over stretches as long that it did see, its error is {number(judged.seen)}"
    if judged.good and (judged.enough or judged.as_good_as_can_be):
        return f"The data suffice: {least}; {seen}."
    if judged.as_good_as_can_be:
        return f"The data do not suffice: {least}. Less noise would help, or a state that is observed more often."
    if not judged.enough:
        return f"More data would help: {seen}, and {least}."
    return (
        f"More data alone would not help much: {seen}, and {least}. A state that was not observed, a model that is too "
        "small, or too few training steps limit it."
    )
