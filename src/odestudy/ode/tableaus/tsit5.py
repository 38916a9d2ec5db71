"""Tsitouras' pair of orders 5(4) with its own interpolation."""

import numpy as np

from odestudy.ode._tableau import DenseOutput, ExplicitTableau, Row

_B = (
    0.09646076681806523,
    0.01,
    0.4798896504144996,
    1.379008574103742,
    -3.290069515436081,
    2.324710524099774,
    0.0,
)


def _quartic(scale: float, double_root: bool, *factors: Row) -> Row:
    """Coefficients of theta .. theta^4 of scale theta^(1 or 2) times the factors (ascending powers)."""
    poly = np.polynomial.polynomial.polyfromroots([0.0, 0.0] if double_root else [0.0]) * scale
    for factor in factors:
        poly = np.polynomial.polynomial.polymul(poly, factor)
    return tuple(float(x) for x in np.pad(poly, (0, 5 - len(poly)))[1:])


# Tsitouras 2011, section 3: the weights b_i(theta), as he factors them.
_P = (
    _quartic(
        -1.0530884977290216, False, (-1.3299890189751412, 1.0), (0.7139816917074209, -1.4364028541716351, 1.0)
    ),
    _quartic(0.1017, True, (1.2949852507374631, -2.1966568338249754, 1.0)),
    _quartic(2.490627285651252793, True, (1.57803468208092486, -2.38535645472061657, 1.0)),
    _quartic(-16.54810288924490272, True, (-1.21712927295533244, 1.0), (-0.61620406037800089, 1.0)),
    _quartic(47.37952196281928122, True, (-1.203071208372362603, 1.0), (-0.658047292653547382, 1.0)),
    _quartic(-34.87065786149660974, True, (-1.2, 1.0), (-0.666666666666666667, 1.0)),
    _quartic(2.5, True, (-1.0, 1.0), (-0.6, 1.0)),
)

TSIT5 = ExplicitTableau(
    name="tsit5",
    order=5,
    c=(0.0, 0.161, 0.327, 0.9, 0.9800255409045097, 1.0, 1.0),
    a=(
        (0.161,),
        (-0.008480655492356989, 0.335480655492357),
        (2.8971530571054935, -6.359448489975075, 4.3622954328695815),
        (5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525),
        (
            5.86145544294642,
            -12.92096931784711,
            8.159367898576159,
            -0.071584973281401,
            -0.028269050394068383,
        ),
        _B[:6],
    ),
    b=_B,
    error_rows=(
        (
            -0.00178001105222577714,
            -0.0008164344596567469,
            0.007880878010261995,
            -0.1447110071732629,
            0.5823571654525552,
            -0.45808210592918697,
            0.015151515151515152,
        ),
    ),
    error_row_orders=(4,),
    error_order=4,
    dense=DenseOutput(order=4, p=_P),
    source="Tsitouras 2011, Computers and Mathematics with Applications 62, tables 1 and 2",
)
