"""Memory and time of a training step as a user meets it: with the adaptive solver, beside a residual net of six blocks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from odestudy.analysis.facts import Fact, Facts

BLOCKS = 6


@dataclass(frozen=True)
class Peaks:
    """Peaks of the process during a training step, in MiB.

    Attributes:
        dataset: the larger of the data sets that were measured.
        blocks: of a residual net of six blocks; on digits on a line through those of fewer and of more.
    """

    dataset: str
    adjoint: float
    backprop: float
    blocks: float


def growth(f: Facts) -> Fact:
    """How the adjoint's memory grows with the steps: on MNIST, or on digits where that was not measured."""
    mnist = f("C04h")
    return mnist if mnist.known else f("C04a")


def peaks(f: Facts) -> Peaks | None:
    """None where one of the three is missing."""
    for dataset, table in (("mnist", "images_peaks_summary"), ("digits", "images_cost_summary")):
        rows = f.rows(table, dataset=dataset)
        if rows.empty:
            continue
        adjoint, backprop = (
            _adaptive(rows, arm, "peak_mib") for arm in ("odenet_adjoint", "odenet_backprop")
        )
        found = Peaks(dataset, adjoint, backprop, _of_blocks(rows, "peak_mib"))
        if all(map(math.isfinite, (found.adjoint, found.backprop, found.blocks))):
            return found
    return None


def untrained_step(f: Facts) -> float:
    """Time of a step of the untrained ODE-Net by adjoint over a residual net's, on MNIST where memory is measured; or NaN."""
    rows = f.rows("images_cost_summary", dataset="mnist")
    if rows.empty or "wall_s" not in rows:
        return math.nan
    return _adaptive(rows, "odenet_adjoint", "wall_s") / _of_blocks(rows, "wall_s")


def _adaptive(rows: pd.DataFrame, arm: str, column: str) -> float:
    """With the adaptive solver, whose number of steps is not set."""
    found = rows.loc[(rows["arm"] == arm) & rows["steps"].isna(), column]
    return float(found.iloc[0]) if len(found) else math.nan


def _of_blocks(rows: pd.DataFrame, column: str) -> float:
    nets = rows[rows["arm"] == "resnet6"].dropna(subset=["steps"]).sort_values("steps")
    if nets.empty:
        return math.nan
    return float(np.interp(BLOCKS, nets["steps"], nets[column], left=math.nan, right=math.nan))
