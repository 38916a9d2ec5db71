"""Embedded pairs of orders 2(1) and 3(2)."""

from odestudy.ode._tableau import ExplicitTableau
from odestudy.ode.tableaus._hermite import cubic_hermite

ADAPTIVE_HEUN = ExplicitTableau(
    name="adaptive_heun",
    order=2,
    c=(0.0, 1.0),
    a=((1.0,),),
    b=(1 / 2, 1 / 2),
    error_rows=((-1 / 2, 1 / 2),),
    error_row_orders=(1,),
    error_order=1,
    dense=cubic_hermite((1 / 2, 1 / 2), order=2),
    source="Heun 1900 with Euler embedded",
)

FEHLBERG2 = ExplicitTableau(
    name="fehlberg2",
    order=2,
    c=(0.0, 1 / 2, 1.0),
    a=((1 / 2,), (1 / 256, 255 / 256)),
    b=(1 / 512, 255 / 256, 1 / 512),
    error_rows=((-1 / 512, 0.0, 1 / 512),),
    error_row_orders=(1,),
    error_order=1,
    dense=cubic_hermite((1 / 512, 255 / 256, 1 / 512), order=2),
    source="Fehlberg 1969, NASA TR R-315, RK1(2), advanced with the second-order weights",
)

_BOSH3_B = (2 / 9, 1 / 3, 4 / 9, 0.0)

BOSH3 = ExplicitTableau(
    name="bosh3",
    order=3,
    c=(0.0, 1 / 2, 3 / 4, 1.0),
    a=((1 / 2,), (0.0, 3 / 4), _BOSH3_B[:3]),
    b=_BOSH3_B,
    error_rows=((2 / 9 - 7 / 24, 1 / 3 - 1 / 4, 4 / 9 - 1 / 3, -1 / 8),),
    error_row_orders=(2,),
    error_order=2,
    dense=cubic_hermite(_BOSH3_B, fsal=True),
    source="Bogacki, Shampine 1989, Applied Mathematics Letters 2(4)",
)
