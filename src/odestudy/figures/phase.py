"""Parts that figures of learnt dynamics share: the choice of arrays, and a trajectory in the plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from odestudy.analysis.selecting import select
from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.words import quantity

MOST_POINTS = 500


@dataclass(frozen=True)
class Shown:
    """The run of one system and arm that has stored its arrays, that of median error: its row and its arrays."""

    row: pd.Series
    arrays: dict[str, np.ndarray]

    @property
    def worst(self) -> np.ndarray | None:
        """The trajectory (n, d) learnt by the seed of largest error, where that is another one."""
        if "worst_learnt" not in self.arrays or self.arrays["worst_seed"] == self.arrays["seed"]:
            return None
        return self.arrays["worst_learnt"]


def shown_runs(
    data: FigureData, table: str, needed: str, where: dict[str, Any] | None = None
) -> dict[tuple[str, str], Shown]:
    """(system, arm) -> the run that is shown, of the last job (the longest training) where `needed` is stored.

    Raises:
        NothingToShow: there is none.
    """
    rows = data.table(table)
    found: dict[tuple[str, str], Shown] = {}
    if not rows.empty:
        rows = select(rows, where or {})
    for (system, arm), part in rows.groupby(["system", "arm"], sort=False):
        for job in reversed(dict.fromkeys(part["job"])):
            arrays = data.arrays(job) if job in data.metrics else {}
            if needed in arrays:
                mine = part[(part["job"] == job) & (part["seed"] == int(arrays["seed"]))]
                found[str(system), str(arm)] = Shown(mine.iloc[0], arrays)
                break
    if not found:
        raise NothingToShow("no run has stored its arrays")
    return found


def which_seed(data: FigureData, table: str, found: dict[tuple[str, str], Shown]) -> str:
    """What a caption says of the runs that are shown: each is one of the seeds of its own job."""
    rows = data.table(table)
    seeds = {int(rows.loc[rows["job"] == shown.row["job"], "seed"].nunique()) for shown in found.values()}
    of = " or ".join(map(str, sorted(seeds)))
    which = "the only seed" if seeds == {1} else f"of {of} seeds the one with the median field error"
    return f"Shown is {which}, hence no bars"


def worst_seed(data: FigureData, table: str, found: dict[tuple[str, str], Shown]) -> str:
    """The largest error among the runs that are not shown; nothing where all are."""
    rows = data.table(table)
    rows = rows[[key in found for key in zip(rows["system"], rows["arm"], strict=True)]]
    rows = rows.drop([shown.row.name for shown in found.values()]).dropna(subset=["field_error_pct"])
    if rows.empty:
        return ""
    worst = rows.sort_values("field_error_pct", kind="stable").iloc[-1]
    return (
        "Of the seeds that are not shown the worst has an error of the field of "
        f"{quantity(data, 'field_error_pct', worst['field_error_pct'])} "
        f"({data.label(worst['system'], 'system')}, {data.label(worst['arm'])})."
    )


def names(found: dict[tuple[str, str], Shown], which: int) -> list[str]:
    """The systems (0) or arms (1) among what is shown, in order."""
    return list(dict.fromkeys(key[which] for key in found))


def plane(states: np.ndarray, t: np.ndarray, most: int = MOST_POINTS) -> tuple[np.ndarray, np.ndarray]:
    """The first two coordinates of a trajectory (n, d), or time and state where d is 1; long ones thinned."""
    step = max(1, -(-len(states) // most))
    x, y = (t, states[:, 0]) if states.shape[1] == 1 else (states[:, 0], states[:, 1])
    return x[::step], y[::step]


def frame_around(
    axes: Axes, x: np.ndarray, y: np.ndarray, *, square: bool = False, margin: float = 0.08
) -> None:
    """Limits around given points, the same scale on both axes; what leaves them is cut off.

    With `square` the shorter side is widened, so that panels of different systems are equally large.
    """
    half = np.array([(np.nanmax(v) - np.nanmin(v)) / 2 * (1 + 2 * margin) for v in (x, y)])
    half = np.maximum(half.max() if square else np.maximum(half, 0.5 * half.max()), 1e-9) * np.ones(2)
    (x0, y0) = ((np.nanmax(v) + np.nanmin(v)) / 2 for v in (x, y))
    axes.set(xlim=(x0 - half[0], x0 + half[0]), ylim=(y0 - half[1], y0 + half[1]))
    axes.set_aspect("equal", adjustable="box")


def escapes(states: np.ndarray, truth: np.ndarray) -> bool:
    """Whether a learnt trajectory cannot be computed to its end."""
    return not bool(np.isfinite(states[: len(truth)]).all())
