"""Runge-Kutta methods of orders 1 to 4 without an error estimate."""

from odestudy.ode._tableau import ExplicitTableau
from odestudy.ode.tableaus._hermite import cubic_hermite

EULER = ExplicitTableau(
    name="euler",
    order=1,
    c=(0.0,),
    a=(),
    b=(1.0,),
    dense=cubic_hermite((1.0,), order=1),
    source="Euler 1768",
)

MIDPOINT = ExplicitTableau(
    name="midpoint",
    order=2,
    c=(0.0, 1 / 2),
    a=((1 / 2,),),
    b=(0.0, 1.0),
    dense=cubic_hermite((0.0, 1.0), order=2),
    source="Runge 1895; Hairer, Nørsett, Wanner I, eq. II.1.2",
)

HEUN2 = ExplicitTableau(
    name="heun2",
    order=2,
    c=(0.0, 1.0),
    a=((1.0,),),
    b=(1 / 2, 1 / 2),
    dense=cubic_hermite((1 / 2, 1 / 2), order=2),
    source="Heun 1900, the explicit trapezoidal rule",
)

HEUN3 = ExplicitTableau(
    name="heun3",
    order=3,
    c=(0.0, 1 / 3, 2 / 3),
    a=((1 / 3,), (0.0, 2 / 3)),
    b=(1 / 4, 0.0, 3 / 4),
    dense=cubic_hermite((1 / 4, 0.0, 3 / 4)),
    source="Heun 1900; Hairer, Nørsett, Wanner I, table II.1.1",
)

RK4 = ExplicitTableau(
    name="rk4",
    order=4,
    c=(0.0, 1 / 3, 2 / 3, 1.0),
    a=((1 / 3,), (-1 / 3, 1.0), (1.0, -1.0, 1.0)),
    b=(1 / 8, 3 / 8, 3 / 8, 1 / 8),
    dense=cubic_hermite((1 / 8, 3 / 8, 3 / 8, 1 / 8)),
    source="Kutta 1901, the 3/8 rule; Hairer, Nørsett, Wanner I, table II.1.2",
)

RK4_CLASSIC = ExplicitTableau(
    name="rk4_classic",
    order=4,
    c=(0.0, 1 / 2, 1 / 2, 1.0),
    a=((1 / 2,), (0.0, 1 / 2), (0.0, 0.0, 1.0)),
    b=(1 / 6, 1 / 3, 1 / 3, 1 / 6),
    dense=cubic_hermite((1 / 6, 1 / 3, 1 / 3, 1 / 6)),
    source="Kutta 1901; Hairer, Nørsett, Wanner I, table II.1.2",
)
