"""From rows of a file to trajectories: constant columns, the order in time, wild rows, and what is to be doubted."""

from __future__ import annotations

import numpy as np

from odestudy.errors import DataError
from odestudy.fit.headings import collide
from odestudy.text import one_line
from odestudy.userdata.checks import FAR, FAR_SHARE, NEARLY, SMALLEST, constant, dependence, robust_distance
from odestudy.userdata.columns import Column, natural
from odestudy.userdata.rows import Rows, at_lines, listed

TIMES_NOISE, OF_SPREAD = 10.0, 0.2  # by which a column has to rise and to fall, to be said to turn back
FEW_VALUES = 10  # distinct values of a column, below which it is no continuous quantity


def without_constant(
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


def by_time(
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


def without_far(
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


def turns(
    parts: dict[str, np.ndarray], numbers: np.ndarray, columns: list[Column], noise: float
) -> list[str]:
    """A warning where the only column both rises and falls by more than its noise, which no first-order state does."""
    least = max(
        TIMES_NOISE * noise, OF_SPREAD * float(numbers[np.concatenate(list(parts.values())), 1].std())
    )
    for part in parts.values():
        y = numbers[part, 1]
        fall = float((np.maximum.accumulate(y) - y).max())
        rise = float((y - np.minimum.accumulate(y)).max())
        if min(rise, fall) > least:
            name = one_line(columns[0].header, 60)
            return [
                f"{name} both rises and falls, which no model of {name} alone can (its slope depends on {name} only): add a "
                "second column, such as its velocity or its value some time before"
            ]
    return []


def doubts(numbers: np.ndarray, columns: list[Column]) -> list[str]:
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
