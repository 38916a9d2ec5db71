"""The methods by name. A new explicit Runge-Kutta method is one tableau and one entry here."""

from odestudy.ode._explicit_rk import ExplicitRK
from odestudy.ode._status import choose
from odestudy.ode._stepper import Stepper
from odestudy.ode._tableau import ExplicitTableau
from odestudy.ode.tableaus.dopri5 import DOPRI5
from odestudy.ode.tableaus.dopri8 import DOPRI8
from odestudy.ode.tableaus.embedded_pairs import ADAPTIVE_HEUN, BOSH3, FEHLBERG2
from odestudy.ode.tableaus.low_order import EULER, HEUN2, HEUN3, MIDPOINT, RK4, RK4_CLASSIC
from odestudy.ode.tableaus.tsit5 import TSIT5

TABLEAUS: dict[str, ExplicitTableau] = {
    "euler": EULER,
    "midpoint": MIDPOINT,
    "heun2": HEUN2,
    "heun3": HEUN3,
    "rk4": RK4,
    "rk4_classic": RK4_CLASSIC,
    "adaptive_heun": ADAPTIVE_HEUN,
    "fehlberg2": FEHLBERG2,
    "bosh3": BOSH3,
    "dopri5": DOPRI5,
    "tsit5": TSIT5,
    "dopri8": DOPRI8,
}


def make_stepper(method: str | ExplicitTableau, fixed: bool) -> Stepper:
    """The stepper of a method; `fixed` drives an embedded pair without its error estimate."""
    if isinstance(method, str):
        choose("method", method, TABLEAUS)  # type: ignore[arg-type]
        method = TABLEAUS[method]
    return ExplicitRK(method, fixed)
