"""Reading a CSV with the columns trajectory, t, y1 ... yd; what cannot be used is refused with row numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from odestudy.errors import DataError
from odestudy.systems.trajectories import Observed
from odestudy.text import one_line

FEWEST = 3  # points of a trajectory
LARGEST = 1e100  # of a value, so that squares are finite
SHOWN = 5  # row numbers in one message


@dataclass(frozen=True)
class Table:
    """Trajectories by name: times (n,) and observations (n, d), in the order of the file."""

    names: list[str]
    t: list[np.ndarray]
    y: list[np.ndarray]

    @property
    def d(self) -> int:
        return int(self.y[0].shape[1])

    def until(self, share: float) -> Table:
        """The first share of each trajectory's points."""
        counts = [max(FEWEST, int(np.ceil(share * len(t)))) for t in self.t]
        parts = (
            [x[:n] for x, n in zip(series, counts, strict=True)] for series in (self.t, self.y)
        )  # fmt: skip
        return Table(self.names, *parts)

    def observed(self) -> Observed:
        """As one array, shorter trajectories ending in nan; the observations stand for the unknown truth."""
        longest = max(len(t) for t in self.t)
        when = np.full((len(self.t), longest), np.nan)
        what = np.full((len(self.t), longest, self.d), np.nan)
        for k, (t, y) in enumerate(zip(self.t, self.y, strict=True)):
            when[k, : len(t)], what[k, : len(t)] = t, y
        return Observed(when, what, what, np.full(self.d, np.nan))


def read_observations(path: Path) -> Table:
    """Read and check one file; rows are counted as in the file, the header being row 1.

    Raises:
        DataError: one line that says what is wrong, where, and what is allowed.
    """
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True, encoding="utf-8")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:  # pandas tells bad rows and encodings by ValueErrors
        raise DataError(f"{path}: not readable as CSV in UTF-8 ({one_line(error)})") from None
    wanted = ["trajectory", "t", *(f"y{i}" for i in range(1, max(2, len(frame.columns) - 1)))]
    if list(frame.columns) != wanted:
        raise DataError(
            f"{path}: columns {one_line(', '.join(map(str, frame.columns)))}; allowed: trajectory, t, y1, y2 ... without gaps"
        )
    _refuse(path, frame["trajectory"].str.strip() == "", "no name of a trajectory")
    numbers = frame[wanted[1:]].apply(pd.to_numeric, errors="coerce").astype(float)
    for column in wanted[1:]:
        empty = frame[column].str.strip().str.lower().isin(["", "na", "nan", "null", "none"])
        _refuse(path, empty, f"{column} is missing; leave out rows that lack a value")
        _refuse(path, ~np.isfinite(numbers[column]), f"{column} is no finite number")
        _refuse(path, numbers[column].abs() > LARGEST, f"{column} is beyond {LARGEST:g}; choose another unit")
    if frame.empty:
        raise DataError(f"{path}: no rows; needed: at least {FEWEST} for each trajectory")
    _refuse(
        path,
        numbers.groupby(frame["trajectory"])["t"].diff() <= 0,
        "t does not increase within its trajectory",
    )
    parts = [
        (str(name), part["t"].to_numpy(), part[wanted[2:]].to_numpy())
        for name, part in numbers.groupby(frame["trajectory"], sort=False)
    ]
    short = [name for name, t, _ in parts if len(t) < FEWEST]
    if short:
        raise DataError(
            f"{path}: trajectory {one_line(repr(short[0]))} has fewer than {FEWEST} rows; needed: at least {FEWEST}"
        )
    names, t, y = (list(column) for column in zip(*parts, strict=True))
    if (np.concatenate(y).std(axis=0) == 0).all():
        raise DataError(f"{path}: no observation ever changes; there is nothing to learn")
    return Table(names, t, y)


def _refuse(path: Path, bad: pd.Series, why: str) -> None:
    rows = [int(i) + 2 for i in np.flatnonzero(bad.to_numpy())]
    if rows:
        listed = ", ".join(map(str, rows[:SHOWN])) + (
            f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
        )
        raise DataError(f"{path}: row {listed}: {why}")
