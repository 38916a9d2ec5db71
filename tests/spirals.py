"""Small sets of noisy spirals, and nets of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import yaml
from pydantic import TypeAdapter
from torch import nn

from odestudy.questions.timeseries.arms import build
from odestudy.questions.timeseries.params import AnyArm
from odestudy.questions.timeseries.series import Series, stack
from odestudy.questions.timeseries.spirals import KINDS, spirals
from odestudy.questions.timeseries.training import generators_of

F64 = torch.float64


def some(
    seeds=(0,), count=6, observed=8, kind="archimedean", spacing="irregular", noise=0.1, dtype=F64
) -> Series:
    sets = [spirals(kind, count, spacing, observed, noise, np.random.default_rng(s), inner=5) for s in seeds]
    return stack(sets, "cpu", dtype)


def arms_of(root: Path, group: str) -> dict[str, AnyArm]:
    """Name -> arm of the question on time series."""
    entries = yaml.safe_load((root / "config/questions/timeseries.yaml").read_text())["entries"]["arm"]
    settings = {name: arm for name, arm in entries.items() if group in arm["groups"]}
    return {
        name: TypeAdapter(AnyArm).validate_python(
            {key: value for key, value in arm.items() if key not in ("label", "groups")}
        )
        for name, arm in settings.items()
    }


def made(arm: AnyArm, seeds=(0,), window=KINDS["archimedean"].window, d=2, dtype=F64) -> nn.Module:
    """A fresh net of an arm, one seed beside the other."""
    return build(arm, generators_of(seeds, 0), d, window, "rk4", 8).to(dtype)
