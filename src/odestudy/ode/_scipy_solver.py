"""scipy's solvers, and its variable-order Adams method, as one more method."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from odestudy.ode._accepted import Accepted
from odestudy.ode._control import Control, Counter
from odestudy.ode._observer import Observer
from odestudy.ode._span import Span
from odestudy.ode._status import Failure, Status, choose
from odestudy.ode._step import VectorField
from odestudy.ode._stepper import StepResult
from odestudy.ode._tolerance import Tolerance

Slope = Callable[[float, np.ndarray], np.ndarray]
REFUSAL = (
    "method 'scipy_solver' has no dense output and is not differentiated through: take gradient='adjoint' "
    "(odeint_adjoint) or torch.no_grad(), and neither dense nor event_fn"
)
SOLVERS = ("RK45", "RK23", "DOP853", "Radau", "BDF", "LSODA", "adams")


@dataclass(frozen=True)
class ScipySolver:
    """scipy.integrate.solve_ivp's methods, and "adams": VODE's variable-order Adams of up to order 12.

    Runs on the host and is not differentiated through: gradients need an adjoint. The norm is scipy's own.
    """

    solver: str = "LSODA"
    name = "scipy_solver"
    order = 0
    error_power = 0
    one_step = False
    weights = None
    nodes: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        choose("solver", self.solver, SOLVERS)

    @torch.no_grad()
    def run(
        self,
        f: VectorField,
        y: Tensor,
        times: tuple[float, ...],
        observer: Observer,
        counter: Counter,
        tolerance: Tolerance,
        control: Control,
    ) -> tuple[Tensor, Failure | None]:
        """Solves to the last of `times` and hands the observer the states at each of them."""

        def numpy_f(t: float, x: np.ndarray) -> np.ndarray:
            if self.solver != "adams":  # which has a limit of its own, and lets no exception through
                patience.look(t)
            time = torch.tensor(t, dtype=y.dtype, device=y.device)
            return _numbers(f(time, _state(x, y)))

        x0, patience = _numbers(y.detach()), Patience(y.numel())
        limits = {"rtol": _host(tolerance.rtol, y), "atol": _host(tolerance.atol, y)}
        solve_it = _vode if self.solver == "adams" else _ivp
        try:
            states, failure = solve_it(self.solver, numpy_f, x0, times, limits, control)
        except StuckError as stuck:
            states, failure = [], Failure("step_size_underflow", f"scipy's {self.solver}: {stuck}")
        for t, t1, x in zip(times, times[1:], states, strict=False):
            y1 = _state(x, y)
            step = StepResult(y1, [], None, None)
            observer.accept(Accepted(f, self, Span(t, t1 - t, y), t, t1, y, step))
            y = y1
        counter.step(True)
        return y, failure

    def step(self, f: VectorField, span: Span, y: Tensor, solver_state: Any) -> StepResult:
        """Raises ValueError: scipy steps by itself."""
        raise ValueError(REFUSAL)

    def errors(self, dt: float, attempt: StepResult) -> tuple[Tensor, ...]:
        """None: scipy controls the error by itself."""
        return ()

    def stiffness(self, attempt: StepResult) -> Tensor | None:
        """Not estimated."""
        return None

    def interpolate(
        self, f: VectorField, span: Span, y: Tensor, attempt: StepResult, theta: Tensor
    ) -> Tensor:
        """Raises ValueError: there is no dense output, no event, and no gradient by back-propagation."""
        raise ValueError(REFUSAL)


class StuckError(Exception):
    """f is asked at one and the same time again and again."""


class Patience:
    """Ends a solve that does not get on, as LSODA tries for ever where the solution has an end.

    Jacobians by differences ask f for each of the state's `size` elements at one time.
    """

    def __init__(self, size: int) -> None:
        self.most, self.t, self.asked = 200 * (size + 5), math.nan, 0

    def look(self, t: float) -> None:
        """Raises StuckError where it was asked at this time too often in turn."""
        self.asked = self.asked + 1 if t == self.t else 0
        self.t = t
        if self.asked > self.most:
            raise StuckError(f"it does not get beyond t = {t:.9g}")


def _ivp(
    method: str, f: Slope, x0: np.ndarray, times: tuple[float, ...], limits: dict[str, Any], control: Control
) -> tuple[Sequence[np.ndarray], Failure | None]:
    from scipy.integrate import solve_ivp  # here, since it takes longer to import than all the rest

    least = {"min_step": control.dtmin} if method == "LSODA" and control.dtmin else {}
    span = (times[0], times[-1])
    sol = solve_ivp(
        f,
        span,
        x0,
        method,
        times[1:],
        max_step=control.dtmax,
        first_step=control.dt0,
        rtol=_scalar(limits["rtol"]),
        atol=limits["atol"],
        **least,
    )
    failure = None if sol.success else Failure("step_size_underflow", f"scipy's {method}: {sol.message}")
    return list(np.transpose(sol.y)), failure  # an empty list where it got to none of the times


def _vode(
    method: str, f: Slope, x0: np.ndarray, times: tuple[float, ...], limits: dict[str, Any], control: Control
) -> tuple[Sequence[np.ndarray], Failure | None]:
    from scipy.integrate import ode

    options = {"nsteps": min(control.max_steps, 2**30), "min_step": control.dtmin, **limits}
    if control.dtmax < float("inf"):
        options["max_step"] = control.dtmax
    solver = ode(f).set_integrator("vode", method="adams", first_step=control.dt0 or 0.0, **options)
    solver.set_initial_value(x0, times[0])
    states = []
    for time in times[1:]:
        states.append(solver.integrate(time))
        if not solver.successful():
            code = solver.get_return_code()
            status: Status = "max_steps" if code == -1 else "step_size_underflow"
            return states[:-1], Failure(status, f"scipy's VODE (Adams) returned {code} at t = {solver.t:.9g}")
    return states, None


def _state(x: np.ndarray, like: Tensor) -> Tensor:
    dtype = np.float32 if like.dtype == torch.float32 else np.float64
    return torch.from_numpy(np.array(x, dtype=dtype)).to(like).reshape(like.shape)


def _numbers(x: Tensor) -> np.ndarray:
    """The elements as float64 on the host."""
    return x.reshape(-1).cpu().numpy().astype(np.float64)


def _host(value: float | Tensor, y: Tensor) -> float | np.ndarray:
    return value if isinstance(value, float) else _numbers(value.expand(y.shape))


def _scalar(rtol: float | np.ndarray) -> float:
    return float(np.min(rtol))
