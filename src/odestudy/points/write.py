"""Files of a fitted density: values, samples, certificate, weights."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from odestudy.points.certificate import Check
from odestudy.points.fit import FittedPoints
from odestudy.points.grid import box
from odestudy.points.read import RESERVED, Points
from odestudy.points.scaled import save
from odestudy.runtime.files import plain, write_atomically


def write_fit(
    folder: Path,
    points: Points,
    fitted: FittedPoints,
    numbers: dict[str, Any],
    checks: list[Check],
    *,
    samples: int,
    grid_points: int,
) -> list[Path]:
    """Write density.csv, samples.csv, up to the plane grid.csv, certificate.json and flow.pt; their paths."""
    save(fitted.density, folder / "flow.pt")
    headers = [column.header for column in points.columns]
    drawn = fitted.density.sample(samples, np.random.default_rng([fitted.settings.seed, 8]))
    tables = {
        "density.csv": _of_the_file(headers, points, fitted),
        "samples.csv": _valued(headers, drawn, fitted),
    }
    if len(headers) <= 2:
        where = box(torch.tensor(points.values), grid_points)[0]
        tables["grid.csv"] = _valued(headers, where, fitted)
    written = [folder / "flow.pt"]
    for name, table in tables.items():
        write_atomically(folder / name, table.to_csv(index=False, lineterminator="\n").encode())
        written.append(folder / name)
    about = {
        "numbers": numbers, "checks": [asdict(c) for c in checks], "settings": asdict(fitted.settings),
        "columns": headers, "notes": points.notes,
    }  # fmt: skip
    text = json.dumps(plain(about), indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(folder / "certificate.json", (text + "\n").encode())
    return [*written, folder / "certificate.json"]


def _of_the_file(headers: list[str], points: Points, fitted: FittedPoints) -> pd.DataFrame:
    """Every row of the file; those that were left out have no density."""
    table = pd.DataFrame(points.every, columns=pd.Index(headers))
    valued = _valued(headers, torch.tensor(points.values), fitted).assign(part=fitted.parts)
    valued.index = pd.Index(np.flatnonzero(points.kept))
    for name in RESERVED:
        table[name] = valued[name].reindex(table.index)
    return table.fillna({"part": "left out"})


def _valued(headers: list[str], x: torch.Tensor, fitted: FittedPoints) -> pd.DataFrame:
    log_density = fitted.density.log_prob(x)
    table = pd.DataFrame(x.numpy(), columns=pd.Index(headers))
    return table.assign(log_density_nat=log_density.numpy(), density=log_density.exp().numpy())
