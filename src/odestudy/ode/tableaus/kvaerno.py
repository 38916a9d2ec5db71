"""Kværnø's ESDIRK pairs; both methods of a pair are A-stable and stiffly accurate, the higher one L-stable."""

import math

from odestudy.ode._dirk_tableau import DirkTableau
from odestudy.ode._tableau import Row
from odestudy.ode.tableaus.kencarp import KENCARP5

SOURCE = "Kværnø 2004, BIT Numerical Mathematics 44(3), Singly diagonally implicit Runge-Kutta methods"


def _difference(a: tuple[Row, ...]) -> Row:
    """b - b^, where b and b^ are the last two rows."""
    return tuple(x - y for x, y in zip(a[-1], (*a[-2], 0.0), strict=True))


# L-stability of the third-order method: the middle root of x^3 - 3 x^2 + 3/2 x - 1/6 (HW II, table IV.6.4).
_G3 = 1 - math.sqrt(2) * math.cos(math.atan(math.sqrt(2) / 4) / 3 + math.pi / 3)
_A3: tuple[Row, ...] = (
    (0.0,),
    (_G3, _G3),
    ((-4 * _G3**2 + 6 * _G3 - 1) / (4 * _G3), (1 - 2 * _G3) / (4 * _G3), _G3),
    (
        (6 * _G3 - 1) / (12 * _G3),
        -1 / ((24 * _G3 - 12) * _G3),
        (-6 * _G3**2 + 6 * _G3 - 1) / (6 * _G3 - 3),
        _G3,
    ),
)

KVAERNO3 = DirkTableau(
    name="kvaerno3",
    order=3,
    a=_A3,
    b=_A3[-1],
    error_row=_difference(_A3),
    error_order=2,
    dense_order=3,
    source=SOURCE,
)

_A5: tuple[Row, ...] = (
    (0.0,),
    (0.26, 0.26),
    (0.13, 0.84033320996790809, 0.26),
    (0.22371961478320505, 0.47675532319799699, -0.06470895363112615, 0.26),
    (0.16648564323248321, 0.10450018841591720, 0.03631482272098715, -0.13090704451073998, 0.26),
    (0.13855640231268224, 0.0, -0.04245337201752043, 0.02446657898003141, 0.61943039072480676, 0.26),
    (
        0.13659751177640291,
        0.0,
        -0.05496908796538376,
        -0.04118626728321046,
        0.62993304899016403,
        0.06962479448202728,
        0.26,
    ),
)

KVAERNO5 = DirkTableau(
    name="kvaerno5",
    order=5,
    a=_A5,
    b=_A5[-1],
    error_row=_difference(_A5),
    error_order=4,
    dense_order=4,
    strictness=30.0,
    closing=KENCARP5,
    source=SOURCE,
)
