"""Stiff test problems; m is numpy or torch.

Sources: Hairer, Wanner II, sections IV.1 and IV.10 (problems, initial values, end points, ratios of the
tolerances); Mazzia, Magherini, Test Set for IVP Solvers, release 2.4, University of Bari (HIRES, VDPOL).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Slope = Callable[[Any, Any, Any], Any]


@dataclass(frozen=True)
class StiffProblem:
    """y' = f(t, y, m) from y0 at t = 0, observed at `times`; atol = atol_per_rtol rtol.

    `reference_rtol` is the tightest tolerance at which Radau's steps stay above the spacing of the times.
    """

    f: Slope
    y0: tuple[float, ...]
    times: tuple[float, ...]
    atol_per_rtol: float
    reference_rtol: float = 1e-12


def van_der_pol(mu: float) -> Slope:
    """y1'' = mu (1 - y1^2) y1' - y1, with time in units of mu: y2 = y1' (HW II, eq. IV.1.5')."""
    return lambda t, y, m: m.stack([y[1], mu * mu * ((1 - y[0] * y[0]) * y[1] - y[0])])


def robertson(t: Any, y: Any, m: Any) -> Any:
    """An autocatalytic reaction (HW II, eq. IV.1.4)."""
    slow, back, fast = 0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]
    return m.stack([back - slow, slow - back - fast, fast])


def oregonator(t: Any, y: Any, m: Any) -> Any:
    """The Belousov-Zhabotinskii reaction (HW II, eq. IV.10.15)."""
    return m.stack(
        [
            77.27 * (y[1] + y[0] * (1 - 8.375e-6 * y[0] - y[1])),
            (y[2] - (1 + y[0]) * y[1]) / 77.27,
            0.161 * (y[0] - y[2]),
        ]
    )


def hires(t: Any, y: Any, m: Any) -> Any:
    """High irradiance responses of photomorphogenesis (HW II, eq. IV.10.14)."""
    bound = 280.0 * y[5] * y[7]
    return m.stack(
        [
            -1.71 * y[0] + 0.43 * y[1] + 8.32 * y[2] + 0.0007,
            1.71 * y[0] - 8.75 * y[1],
            -10.03 * y[2] + 0.43 * y[3] + 0.035 * y[4],
            8.32 * y[1] + 1.71 * y[2] - 1.12 * y[3],
            -1.745 * y[4] + 0.43 * y[5] + 0.43 * y[6],
            -bound + 0.69 * y[3] + 1.71 * y[4] - 0.43 * y[5] + 0.69 * y[6],
            bound - 1.81 * y[6],
            -bound + 1.81 * y[6],
        ]
    )


PROBLEMS: dict[str, StiffProblem] = {
    "vdp1e3": StiffProblem(van_der_pol(1e3), (2.0, 0.0), (0.0, 0.5, 1.0, 1.5, 2.0), 1.0),
    "vdp1e6": StiffProblem(van_der_pol(1e6), (2.0, 0.0), (0.0, 0.5, 1.0, 1.5, 2.0), 1.0, 1e-10),
    "robertson": StiffProblem(
        robertson, (1.0, 0.0, 0.0), (0.0, *(4.0 * 10.0**k for k in range(-1, 11)), 1e11), 1e-6
    ),
    "hires": StiffProblem(hires, (1.0, *[0.0] * 6, 0.0057), (0.0, 321.8122, 421.8122), 1e-4),
    "oregonator": StiffProblem(oregonator, (1.0, 2.0, 3.0), (0.0, *(30.0 * k for k in range(1, 13))), 1e-6),
}
