"""Tables of a fit as CSV: the learnt vector field on a grid, and forecasts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from odestudy.fit.headings import ranges, slopes
from odestudy.fit.model import Ensemble, median
from odestudy.fit.observations import Table
from odestudy.systems.trajectories import grid_around, in_support

MOST_GRID = 3  # dimensions in which a grid is written; beyond it the observed states stand for it
STEPS = 401  # of a forecast


def field_table(table: Table, ensemble: Ensemble) -> pd.DataFrame:
    """States, the median slope of the models, its spread over them, and whether data are near (`supported`)."""
    states = np.concatenate(table.y)
    grid = grid_around(states) if table.d <= MOST_GRID else states
    found = np.stack([field(grid) for field in ensemble.fields()])
    middle, spread = np.median(found, axis=0), np.ptp(found, axis=0)
    names = slopes(table.columns, table.time)
    columns = {column.header: grid[:, i] for i, column in enumerate(table.columns)}
    columns |= {slope: middle[:, i] for i, (slope, _) in enumerate(names)}
    columns |= {name: spread[:, i] for i, (_, name) in enumerate(names)}
    return pd.DataFrame(columns | {"supported": in_support(grid, states)})


def forecast_table(table: Table, ensemble: Ensemble) -> pd.DataFrame:
    """From each trajectory's first observation to twice its span: median, lowest and highest of the models."""
    parts = []
    for name, t, y in zip(table.names, table.t, table.y, strict=True):
        when = np.linspace(t[0], 2 * t[-1] - t[0], STEPS)
        paths = [roll(y[:1], when)[0] for roll in ensemble.rolls()]
        columns: dict[str, object] = {"trajectory": name, table.time.header: when, "beyond": when > t[-1]}
        middle = median(paths)
        for i, (column, ends) in enumerate(zip(table.columns, ranges(table.columns), strict=True)):
            of_models = np.stack([path[:, i] for path in paths])
            known = ~np.isnan(of_models).all(axis=0)
            columns[column.header] = middle[:, i]
            for end, choose in zip(ends, (np.nanmin, np.nanmax), strict=True):
                values = np.full(len(when), np.nan)
                values[known] = choose(of_models[:, known], axis=0)
                columns[end] = values
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)
