"""Implicit methods of orders 1 and 2 without an error estimate."""

from odestudy.ode._dirk_tableau import DirkTableau

IMPLICIT_EULER = DirkTableau(
    name="implicit_euler",
    order=1,
    a=((1.0,),),
    b=(1.0,),
    source="Hairer, Wanner II, eq. IV.3.1 (Euler backwards)",
)

TRAPEZOID = DirkTableau(
    name="trapezoid",
    order=2,
    a=((0.0,), (1 / 2, 1 / 2)),
    b=(1 / 2, 1 / 2),
    l_stable=False,
    dense_order=2,
    source="Hairer, Wanner II, eq. IV.3.7; Crank, Nicolson 1947",
)

IMPLICIT_MIDPOINT = DirkTableau(
    name="implicit_midpoint",
    order=2,
    a=((1 / 2,),),
    b=(1.0,),
    l_stable=False,
    source="Hairer, Wanner II, eq. IV.3.6; Gauss's method with one stage",
)
