"""What a fit writes as CSV: the learnt vector field on a grid, and forecasts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from odestudy.fit.learn import Ensemble, median
from odestudy.fit.observations import Table
from odestudy.systems.trajectories import grid_around, in_support

MOST_GRID = 3  # dimensions in which a grid is written; beyond it the observed states stand for it
STEPS = 401  # of a forecast


def field_table(table: Table, ensemble: Ensemble) -> pd.DataFrame:
    """States y1 ..., the median slope dy1 ... of the models, its spread over them, and whether data are near."""
    states = np.concatenate(table.y)
    grid = grid_around(states) if table.d <= MOST_GRID else states
    slopes = np.stack([field(grid) for field in ensemble.fields()])
    names = range(1, table.d + 1)
    columns = {f"y{i}": grid[:, i - 1] for i in names}
    columns |= {f"dy{i}": np.median(slopes, axis=0)[:, i - 1] for i in names}
    columns |= {f"dy{i}_spread": np.ptp(slopes, axis=0)[:, i - 1] for i in names}
    return pd.DataFrame(columns | {"supported": in_support(grid, states)})


def forecast_table(table: Table, ensemble: Ensemble) -> pd.DataFrame:
    """From each trajectory's first observation to twice its span: median, lowest and highest of the models."""
    parts = []
    for name, t, y in zip(table.names, table.t, table.y, strict=True):
        when = np.linspace(t[0], 2 * t[-1] - t[0], STEPS)
        paths = [roll(y[:1], when)[0] for roll in ensemble.rolls()]
        columns: dict[str, object] = {"trajectory": name, "t": when, "beyond": when > t[-1]}
        middle = median(paths)
        for i in range(table.d):
            of_models = np.stack([path[:, i] for path in paths])
            known = ~np.isnan(of_models).all(axis=0)
            ends = [np.full(len(when), np.nan), np.full(len(when), np.nan)]
            for end, choose in zip(ends, (np.nanmin, np.nanmax), strict=True):
                end[known] = choose(of_models[:, known], axis=0)
            columns |= {f"y{i + 1}": middle[:, i], f"y{i + 1}_low": ends[0], f"y{i + 1}_high": ends[1]}
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)
