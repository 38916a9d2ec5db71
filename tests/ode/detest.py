"""The non-stiff DETEST problems, on [0, 20]; m is numpy or torch.

Source: Hull, Enright, Fellen, Sedgwick 1972, Comparing numerical methods for ordinary differential equations,
SIAM J. Numer. Anal. 9(4).
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

T_END = 20.0
MASSES = (0.000954786104043, 0.000285583733151, 0.0000437273164546, 0.0000517759138449, 0.00000277777777778)
SUN, GRAVITY = 1.00000597682, 2.95912208286
PLANETS = (
    (3.42947415189, 3.35386959711, 1.35494901715),
    (6.64145542550, 5.97156957878, 2.18231499728),
    (11.2630437207, 14.6952576794, 6.27960525067),
    (-30.1552268759, 1.65699966404, 1.43785752721),
    (-21.1238353380, 28.4465098142, 15.3882659679),
    (-0.557160570446, 0.505696783289, 0.230578543901),
    (-0.415570776342, 0.365682722812, 0.169143213293),
    (-0.325325669158, 0.189706021964, 0.0877265322780),
    (-0.0240476254170, -0.287659532608, -0.117219543175),
    (-0.176860753121, -0.216393453025, -0.0148647893090),
)  # positions, then velocities, of Jupiter, Saturn, Uranus, Neptune, Pluto


def b1(t: Any, y: Any, m: Any) -> Any:
    return m.stack([2 * (y[0] - y[0] * y[1]), -(y[1] - y[0] * y[1])])


def b2(t: Any, y: Any, m: Any) -> Any:
    return m.stack([-y[0] + y[1], y[0] - 2 * y[1] + y[2], y[1] - y[2]])


def b3(t: Any, y: Any, m: Any) -> Any:
    return m.stack([-y[0], y[0] - y[1] * y[1], y[1] * y[1]])


def b4(t: Any, y: Any, m: Any) -> Any:
    r = m.sqrt(y[0] * y[0] + y[1] * y[1])
    return m.stack([-y[1] - y[0] * y[2] / r, y[0] - y[1] * y[2] / r, y[0] / r])


def b5(t: Any, y: Any, m: Any) -> Any:
    return m.stack([y[1] * y[2], -y[0] * y[2], -0.51 * y[0] * y[1]])


def linear(matrix: np.ndarray) -> Callable[[Any, Any, Any], Any]:
    return lambda t, y, m: (matrix if m is np else m.from_numpy(matrix)) @ y


def decay(rates: np.ndarray) -> np.ndarray:
    """y1' = -r1 y1, yi' = r(i-1) y(i-1) - ri yi, the last one only grows."""
    return np.diag(np.append(-rates, 0.0)) + np.diag(rates, -1)


def diffusion(n: int) -> np.ndarray:
    return np.diag(-2.0 * np.ones(n)) + np.diag(np.ones(n - 1), 1) + np.diag(np.ones(n - 1), -1)


def c5(t: Any, y: Any, m: Any) -> Any:
    """The five outer planets around the sun."""
    x, v = y[:15].reshape(5, 3), y[15:]
    mass = np.array(MASSES) if m is np else m.tensor(MASSES, dtype=y.dtype)
    pull = x / (x * x).sum(1).reshape(5, 1) ** 1.5
    gap = x.reshape(1, 5, 3) - x.reshape(5, 1, 3)
    distance = (gap * gap).sum(2) + (np.eye(5) if m is np else m.eye(5, dtype=y.dtype))
    between = (mass.reshape(1, 5, 1) * gap / distance.reshape(5, 5, 1) ** 1.5).sum(1)
    indirect = (mass.reshape(5, 1) * pull).sum(0) - mass.reshape(5, 1) * pull
    acceleration = GRAVITY * (-(SUN + mass.reshape(5, 1)) * pull + between - indirect)
    return m.concatenate([v, acceleration.reshape(15)])


def orbit(t: Any, y: Any, m: Any) -> Any:
    r3 = (y[0] * y[0] + y[1] * y[1]) ** 1.5
    return m.stack([y[2], y[3], -y[0] / r3, -y[1] / r3])


def e1(t: Any, y: Any, m: Any) -> Any:
    return m.stack([y[1], -(y[1] / (t + 1) + (1 - 0.25 / (t + 1) ** 2) * y[0])])


def e2(t: Any, y: Any, m: Any) -> Any:
    return m.stack([y[1], (1 - y[0] * y[0]) * y[1] - y[0]])


def e3(t: Any, y: Any, m: Any) -> Any:
    return m.stack([y[1], y[0] ** 3 / 6 - y[0] + 2 * m.sin(2.78535 * t)])


def e4(t: Any, y: Any, m: Any) -> Any:
    return m.stack([y[1], 0.032 - 0.4 * y[1] * y[1]])


def e5(t: Any, y: Any, m: Any) -> Any:
    return m.stack([y[1], m.sqrt(1 + y[1] * y[1]) / (25 - t)])


def start(n: int) -> list[float]:
    return [1.0] + [0.0] * (n - 1)


def ellipse(e: float) -> list[float]:
    return [1 - e, 0.0, 0.0, math.sqrt((1 + e) / (1 - e))]


PROBLEMS: dict[str, tuple[Callable[[Any, Any, Any], Any], list[float]]] = {
    "A1": (lambda t, y, m: -y, [1.0]),
    "A2": (lambda t, y, m: -(y**3) / 2, [1.0]),
    "A3": (lambda t, y, m: y * m.cos(t), [1.0]),
    "A4": (lambda t, y, m: y / 4 * (1 - y / 20), [1.0]),
    "A5": (lambda t, y, m: (y - t) / (y + t), [4.0]),
    "B1": (b1, [1.0, 3.0]),
    "B2": (b2, [2.0, 0.0, 1.0]),
    "B3": (b3, [1.0, 0.0, 0.0]),
    "B4": (b4, [3.0, 0.0, 0.0]),
    "B5": (b5, [0.0, 1.0, 1.0]),
    "C1": (linear(decay(np.ones(9))), start(10)),
    "C2": (linear(decay(np.arange(1.0, 10.0))), start(10)),
    "C3": (linear(diffusion(10)), start(10)),
    "C4": (linear(diffusion(51)), start(51)),
    "C5": (c5, [x for row in PLANETS for x in row]),
    **{f"D{i}": (orbit, ellipse(e)) for i, e in enumerate((0.1, 0.3, 0.5, 0.7, 0.9), start=1)},
    "E1": (e1, [0.6713967071418030, 0.09540051444747446]),
    "E2": (e2, [2.0, 0.0]),
    "E3": (e3, [0.0, 0.0]),
    "E4": (e4, [30.0, 0.0]),
    "E5": (e5, [0.0, 0.0]),
}
