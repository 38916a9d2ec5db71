"""Files of a fitted density: values, samples, certificate, weights."""

from __future__ import annotations

import io
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
from odestudy.runtime.files import plain, write_atomically


def write_fit(
    folder: Path,
    values: np.ndarray,
    fitted: FittedPoints,
    numbers: dict[str, Any],
    checks: list[Check],
    *,
    samples: int,
    grid_points: int,
) -> list[Path]:
    """Write density.csv, samples.csv, up to the plane grid.csv, certificate.json and flow.pt; their paths."""
    names = [f"x{i + 1}" for i in range(values.shape[1])]
    density = fitted.density
    points = torch.tensor(values)
    tables = {
        "density.csv": _valued(names, points, fitted).assign(part=fitted.parts),
        "samples.csv": _valued(
            names, density.sample(samples, np.random.default_rng([fitted.settings.seed, 8])), fitted
        ),
    }
    if len(names) <= 2:
        tables["grid.csv"] = _valued(names, box(points, grid_points)[0], fitted)
    written = []
    for name, table in tables.items():
        write_atomically(folder / name, table.to_csv(index=False, lineterminator="\n").encode())
        written.append(folder / name)
    about = {"numbers": numbers, "checks": [asdict(c) for c in checks], "settings": asdict(fitted.settings)}
    text = json.dumps(plain(about), indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(folder / "certificate.json", (text + "\n").encode())
    buffer = io.BytesIO()
    state = {"field": density.flow.f.state_dict(), "centre": density.centre, "scale": density.scale}
    torch.save(state | {"method": density.flow.grid.method, "steps": density.flow.grid.steps}, buffer)
    write_atomically(folder / "flow.pt", buffer.getvalue())
    return [*written, folder / "certificate.json", folder / "flow.pt"]


def _valued(names: list[str], x: torch.Tensor, fitted: FittedPoints) -> pd.DataFrame:
    log_density = fitted.density.log_prob(x)
    table = pd.DataFrame(x.numpy(), columns=pd.Index(names))
    return table.assign(log_density_nat=log_density.numpy(), density=log_density.exp().numpy())
