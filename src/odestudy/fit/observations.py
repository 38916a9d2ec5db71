"""Trajectories out of a user's file: columns t (or time), trajectory where there are several, and any others as state."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from odestudy.errors import DataError
from odestudy.fit.cleaning import by_time, doubts, turns, without_constant, without_far
from odestudy.fit.neighbours import noise_between
from odestudy.systems.trajectories import Observed
from odestudy.text import one_line
from odestudy.userdata.columns import Column, choose, columns_of, take_column
from odestudy.userdata.numbers import to_numbers
from odestudy.userdata.rows import at_lines, listed, read_rows

FEWEST = 3  # points of a trajectory
ONLY = "1"  # the name of the trajectory of a file that names none


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
    numbers, columns = without_constant(rows, numbers, columns, time, notes)
    parts = by_time(rows, names, numbers, trajectory is not None, notes)
    parts = without_far(rows, parts, numbers, columns, notes)
    notes += doubts(numbers, columns)
    for name, part in parts.items():
        if len(part) < FEWEST:
            raise DataError(
                f"{path}: trajectory {one_line(repr(name))} has {len(part)} rows; needed: at least {FEWEST}"
            )
    t, y = [numbers[part, 0] for part in parts.values()], [numbers[part, 1:] for part in parts.values()]
    table = Table(list(parts), t, y, columns, time, notes)
    if table.d == 1:
        notes += turns(parts, numbers, columns, float(noise_between(t, y)[0]))
    return table
