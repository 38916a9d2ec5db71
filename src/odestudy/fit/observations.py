"""Trajectories out of a user's file: columns t (or time), trajectory where there are several, and any others as state."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from odestudy.errors import DataError
from odestudy.fit.headings import collide
from odestudy.systems.trajectories import Observed
from odestudy.text import one_line
from odestudy.userdata.checks import FAR, FAR_SHARE, NEARLY, SMALLEST, constant, dependence, robust_distance
from odestudy.userdata.columns import Column, choose, columns_of, natural, take_column
from odestudy.userdata.numbers import to_numbers
from odestudy.userdata.rows import Rows, at_lines, listed, read_rows

FEWEST = 3  # points of a trajectory
ONLY = "1"  # the name of the trajectory of a file that names none
FEW_VALUES = 10  # distinct values of a column, below which it is no continuous quantity


@dataclass(frozen=True)
class Table:
    """Trajectories, in the order of their names and times: times (n,) and observations (n, d) of each.

    Attributes:
        columns: of the state, d of them; time: of the times.
        notes: what was found and done on reading, a sentence each.
    """

    names: list[str]
    t: list[np.ndarray]
    y: list[np.ndarray]
    columns: list[Column]
    time: Column
    notes: list[str]

    @property
    def d(self) -> int:
        return len(self.columns)

    def until(self, share: float) -> Table:
        """The first share of each trajectory's points."""
        counts = [max(FEWEST, int(np.ceil(share * len(t)))) for t in self.t]
        t, y = ([x[:n] for x, n in zip(series, counts, strict=True)] for series in (self.t, self.y))
        return Table(self.names, t, y, self.columns, self.time, self.notes)

    def observed(self) -> Observed:
        """As one array, shorter trajectories ending in nan; the observations stand for the unknown truth."""
        longest = max(len(t) for t in self.t)
        when = np.full((len(self.t), longest), np.nan)
        what = np.full((len(self.t), longest, self.d), np.nan)
        for k, (t, y) in enumerate(zip(self.t, self.y, strict=True)):
            when[k, : len(t)], what[k, : len(t)] = t, y
        return Observed(when, what, what, np.full(self.d, np.nan))


def read_observations(path: Path, wanted: str | None = None) -> Table:
    """Read and check one file; `wanted` lists the columns of the state, all but t and trajectory otherwise.

    Raises:
        DataError: one line that says what is wrong, on which line of the file or in which column, and how to mend it.
    """
    rows = read_rows(path)
    columns = columns_of(rows.header)
    time, trajectory = take_column(columns, "t", "time"), take_column(columns, "trajectory")
    if time is None or not columns:
        needed = "a column t or time, and at least one other; trajectory tells several apart"
        raise DataError(f"{path}: columns {one_line(listed(rows.header))}; needed: {needed}")
    columns = choose(rows, columns, wanted)
    if not rows.cells:
        raise DataError(f"{path}: no rows; needed: at least {FEWEST} for each trajectory")
    numbers, commas = to_numbers(rows, [time.place, *(column.place for column in columns)])
    notes = rows.notes(commas)
    names = [row[trajectory.place] for row in rows.cells] if trajectory else [ONLY] * len(rows.cells)
    if "" in names:
        where = at_lines([line for line, name in zip(rows.lines, names, strict=True) if not name])
        raise DataError(f"{path}: {where}: no name of a trajectory")
    numbers, columns = _without_constant(rows, numbers, columns, time, notes)
    parts = _by_time(rows, names, numbers, trajectory is not None, notes)
    parts = _without_far(rows, parts, numbers, columns, notes)
    notes += _doubts(numbers, columns)
    for name, part in parts.items():
        if len(part) < FEWEST:
            raise DataError(
                f"{path}: trajectory {one_line(repr(name))} has {len(part)} rows; needed: at least {FEWEST}"
            )
    t, y = [numbers[part, 0] for part in parts.values()], [numbers[part, 1:] for part in parts.values()]
    return Table(list(parts), t, y, columns, time, notes)


def _without_constant(
    rows: Rows, numbers: np.ndarray, columns: list[Column], time: Column, notes: list[str]
) -> tuple[np.ndarray, list[Column]]:
    """Without the columns of the state that never change, which a note names."""
    still = constant(numbers[:, 1:])
    if still.all():
        raise DataError(f"{rows.path}: no observation ever changes; there is nothing to learn")
    if still.any():
        named = listed([c.header for c, s in zip(columns, still, strict=True) if s])
        notes.append(f"left out, being constant: {one_line(named)}")
    numbers = numbers[:, np.concatenate([[True], ~still])]
    columns = [c for c, s in zip(columns, still, strict=True) if not s]
    for column, size in zip(columns, np.ptp(numbers[:, 1:], axis=0), strict=True):
        if size < SMALLEST:
            raise DataError(
                f"{rows.path}: {one_line(column.header, 60)} varies by {size:g} only; choose another unit"
            )
    if collide(columns, time):
        raise DataError(
            f"{rows.path}: results add _low, _high, _spread and d to the names of columns, and some are called so already; rename them"
        )
    return numbers, columns


def _by_time(
    rows: Rows, names: list[str], numbers: np.ndarray, named: bool, notes: list[str]
) -> dict[str, np.ndarray]:
    """Places of the rows of each trajectory, in the order of names and times."""
    parts: dict[str, np.ndarray] = {}
    t, label = numbers[:, 0], np.array(names, dtype=object)
    for name in sorted(set(names), key=natural):
        mine = np.flatnonzero(label == name)
        early = mine[1:][np.diff(t[mine]) < 0]
        mine = mine[np.argsort(t[mine], kind="stable")]
        again = np.flatnonzero(np.diff(t[mine]) <= 0)
        if len(again):
            twice = sorted(rows.lines[mine[k]] for k in (again[0], again[0] + 1))
            more = "" if named else ", or name the trajectories in a column trajectory"
            whose = f"trajectory {one_line(repr(name))}" if named else "the file"
            raise DataError(
                f"{rows.path}: lines {twice[0]} and {twice[1]}: {whose} has the time {t[mine[again[0]]]:g} twice; keep one{more}"
            )
        if len(early):
            notes.append(
                f"{at_lines([rows.lines[k] for k in early])}: earlier than the row before; rows were sorted by time"
            )
        parts[name] = mine
    return parts


def _without_far(
    rows: Rows, parts: dict[str, np.ndarray], numbers: np.ndarray, columns: list[Column], notes: list[str]
) -> dict[str, np.ndarray]:
    """Without rows that lie far from everything else and from their neighbours in time; a note names each."""
    y = numbers[:, 1:]
    middle, distance = np.median(y, axis=0), robust_distance(y)
    kept = {}
    for name, part in parts.items():
        jump = np.abs(np.diff(y[part], axis=0))
        nearest = np.full((len(part), y.shape[1]), np.inf)
        nearest[1:], nearest[:-1] = jump, np.minimum(nearest[:-1], jump)
        off = (distance[part] > FAR) & (nearest > np.abs(y[part] - middle) / 2)
        if off.any(axis=1).sum() > max(1, FAR_SHARE * len(part)):  # so are the data, and no mishap
            off[:] = False
        for k, i in np.argwhere(off):
            value, size = y[part[k], i], distance[part[k], i]
            what = f"{one_line(columns[i].header, 60)} is {value:g}, {size:.0f} robust standard deviations from the median"
            notes.append(
                f"line {rows.lines[part[k]]}: left out: {what} and not near the observations before and after"
            )
        kept[name] = part[~off.any(axis=1)]
    return kept


def _doubts(numbers: np.ndarray, columns: list[Column]) -> list[str]:
    """Warnings of columns that others determine, or that have few values."""
    y, names = numbers[:, 1:], [c.name for c in columns]
    share, relation = dependence(y, names)
    found = (
        [
            f"{one_line(relation)}, but for {100 * share:.2g} % of its spread: leave out one of them with --columns"
        ]
        if share < NEARLY
        else []
    )
    few = [
        f"{name} ({len(np.unique(column))})"
        for name, column in zip(names, y.T, strict=True)
        if len(np.unique(column)) < min(FEW_VALUES, len(y) / 3)
    ]
    return (
        [*found, f"few distinct values, as of a quantity that is not continuous: {one_line(listed(few))}"]
        if few
        else found
    )
