"""The methods by name. A new explicit Runge-Kutta method is one tableau and one entry here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from odestudy.ode._adams import Adams
from odestudy.ode._auto import Auto
from odestudy.ode._controller import PIDController
from odestudy.ode._dirk import Dirk
from odestudy.ode._dirk_tableau import DirkTableau
from odestudy.ode._explicit_rk import explicit_rk
from odestudy.ode._reversible_heun import ReversibleHeun
from odestudy.ode._reversible_rk import ReversibleRK
from odestudy.ode._rosenbrock import Rosenbrock
from odestudy.ode._rosenbrock_tableau import RosenbrockTableau
from odestudy.ode._scipy_solver import ScipySolver
from odestudy.ode._status import choose
from odestudy.ode._stepper import Stepper
from odestudy.ode._tableau import ExplicitTableau
from odestudy.ode.tableaus.dopri5 import DOPRI5
from odestudy.ode.tableaus.dopri8 import DOPRI8
from odestudy.ode.tableaus.embedded_pairs import ADAPTIVE_HEUN, BOSH3, FEHLBERG2
from odestudy.ode.tableaus.implicit import IMPLICIT_EULER, IMPLICIT_MIDPOINT, TRAPEZOID
from odestudy.ode.tableaus.kvaerno import KVAERNO3, KVAERNO5
from odestudy.ode.tableaus.low_order import EULER, HEUN2, HEUN3, MIDPOINT, RK4, RK4_CLASSIC
from odestudy.ode.tableaus.rodas5p import RODAS5P
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


@dataclass(frozen=True)
class Family:
    """A method that is not a tableau: its class, what is fixed about it, and the options it takes."""

    cls: Any
    options: tuple[str, ...]
    given: dict[str, Any] = field(default_factory=dict)


IMPLICIT_TABLEAUS: dict[str, DirkTableau] = {
    "implicit_euler": IMPLICIT_EULER,
    "trapezoid": TRAPEZOID,
    "implicit_midpoint": IMPLICIT_MIDPOINT,
    "kvaerno3": KVAERNO3,
    "kvaerno5": KVAERNO5,
}

NEWTON = ("jacobian", "newton_tol")

FAMILIES: dict[str, Family] = {
    "explicit_adams": Family(
        Adams, ("max_order", "max_iters"), {"name": "explicit_adams", "implicit": False}
    ),
    "implicit_adams": Family(Adams, ("max_order", "max_iters"), {"name": "implicit_adams", "implicit": True}),
    "fixed_adams": Family(Adams, ("max_order", "max_iters"), {"name": "fixed_adams", "implicit": True}),
    "reversible_heun": Family(ReversibleHeun, ()),
    "reversible_rk4": Family(ReversibleRK, ("coupling",), {"tableau": RK4}),
    "reversible_dopri5": Family(ReversibleRK, ("coupling",), {"tableau": DOPRI5}),
    **{name: Family(Dirk, NEWTON, {"tableau": tab}) for name, tab in IMPLICIT_TABLEAUS.items()},
    "rodas5p": Family(Rosenbrock, ("jacobian",), {"tableau": RODAS5P}),
    "auto": Family(Auto, ("jacobian",)),
    "scipy_solver": Family(ScipySolver, ("solver",)),
}

Method = str | ExplicitTableau | DirkTableau | RosenbrockTableau | Stepper

METHODS: tuple[str, ...] = (*TABLEAUS, *FAMILIES)

# With 0.9 a fifth of dopri8's steps are rejected on the non-stiff DETEST problems, and its error is often far beyond
# the tolerance where the steps must change fast: with an estimate of order 8, 0.9 aims at 0.43 of what is allowed.
# Below 0.6 few are rejected, and an error of the same size costs fewest evaluations (DETEST, and orbits of
# eccentricities 0.3 to 0.85); at 0.52 it is also as small as that of torchdiffeq's pair 8(7), for no more of them.
CONTROLLERS: dict[str, PIDController] = {"dopri8": PIDController(safety=0.52)}


def controller_of(method: Any) -> PIDController:
    """The step size control of a method where its caller chooses none."""
    return CONTROLLERS.get(getattr(method, "name", method), PIDController())


def options_of(method: Method) -> tuple[str, ...]:
    """The names of the options that only this method takes."""
    family = _family(method)
    return () if family is None else family.options


def _family(method: Method) -> Family | None:
    if isinstance(method, DirkTableau):
        return Family(Dirk, NEWTON, {"tableau": method})
    if isinstance(method, RosenbrockTableau):
        return Family(Rosenbrock, NEWTON[:1], {"tableau": method})
    return FAMILIES.get(method) if isinstance(method, str) else None


def make_stepper(method: Method, fixed: bool = False, options: Mapping[str, Any] | None = None) -> Stepper:
    """The stepper of a method; `fixed` drives an embedded pair without its error estimate.

    Raises ValueError for an unknown method or option, with the known ones.
    """
    if isinstance(method, type):
        raise ValueError(
            f"method must be an object, got the class {method.__name__}: make one, {method.__name__}()"
        )
    family = _family(method)
    if family is None and not isinstance(method, ExplicitTableau | Stepper):
        choose("method", method, METHODS)
    for name in options or {}:
        choose(f"option for method {method!r}:", name, options_of(method))
    if family is not None:
        return family.cls(**family.given, **(options or {}))
    if isinstance(method, str | ExplicitTableau):
        return explicit_rk(TABLEAUS[method] if isinstance(method, str) else method, fixed)
    assert isinstance(method, Stepper), "what is no method was refused"
    return method
