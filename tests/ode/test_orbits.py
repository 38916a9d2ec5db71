"""Eccentric orbits, on which steps must change fast: dopri8 beside torchdiffeq's pair of the same name."""

import math

import pytest
import torch
import torchdiffeq
from helpers import F64
from torch import Tensor

from odestudy.ode import odeint, solve

ECCENTRICITY = 0.7
SPAN = 12 * math.pi  # six rounds
PHASES = [0.1 + math.pi * i / 5 for i in range(10)]


def on_orbit(anomaly: float) -> Tensor:
    """Position and velocity at this mean anomaly, by Kepler's equation."""
    e, angle = ECCENTRICITY, anomaly
    for _ in range(100):
        angle -= (angle - e * math.sin(angle) - anomaly) / (1 - e * math.cos(angle))
    b, r = math.sqrt(1 - e * e), 1 - e * math.cos(angle)
    sin, cos = math.sin(angle), math.cos(angle)
    return torch.tensor([cos - e, b * sin, -sin / r, b * cos / r], dtype=F64)


class Attraction:
    """Kepler's problem, its evaluations counted."""

    def __init__(self) -> None:
        self.nfe = 0

    def __call__(self, t: Tensor, y: Tensor) -> Tensor:
        self.nfe += 1
        return torch.cat([y[2:], -y[:2] / (y[:2] @ y[:2]) ** 1.5])


@pytest.mark.parametrize("tol", [1e-5, 1e-7, 1e-9])
def test_dopri8_is_as_accurate_as_torchdiffeqs_at_no_more_evaluations(tol: float) -> None:
    logs, counts = {"ours": [], "theirs": []}, {"ours": 0, "theirs": 0}
    t = torch.tensor([0.0, SPAN], dtype=F64)
    for phase in PHASES:
        for name, by in (("ours", odeint), ("theirs", torchdiffeq.odeint)):
            f = Attraction()
            with torch.no_grad():
                y = by(f, on_orbit(phase), t, method="dopri8", rtol=tol, atol=tol)[-1]
            logs[name].append(math.log(float((y - on_orbit(phase + SPAN)).norm())))
            counts[name] += f.nfe
    assert sum(logs["ours"]) <= sum(logs["theirs"])
    assert counts["ours"] <= counts["theirs"]


def test_dopri8_rejects_few_steps() -> None:
    stats = solve(Attraction(), on_orbit(0.0), [0.0, SPAN], method="dopri8", rtol=1e-7, atol=1e-9).stats
    assert stats.rejected < 0.1 * stats.accepted
