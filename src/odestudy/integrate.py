"""One contract for every library that integrates a Neural ODE, with evaluations counted and failures named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from odestudy.runtime.outcome import NumericalFailure, Row


@dataclass(frozen=True)
class Solver:
    """How to integrate and how to differentiate.

    Attributes:
        library: who integrates: a key of LIBRARIES.
        method: the library's name of the method.
        rtol, atol: tolerances of an adaptive method.
        step: step size of a fixed-step method, or None for an adaptive one.
        gradient: a key of GRADIENTS.
        max_nfe: evaluations, forward and backward apart, after which a solve counts as `max_steps`.
        separate: whether the state is a batch (B, ...) of samples that do not depend on each other. An implicit method
            of ours then takes B small Jacobians in place of one of the whole state.
    """

    library: str = "odestudy"
    method: str = "dopri5"
    rtol: float = 1e-5
    atol: float = 1e-6
    step: float | None = None
    gradient: str = "backprop"
    max_nfe: int = 100_000
    separate: bool = False

    def __post_init__(self) -> None:
        for name, value, known in (
            ("library", self.library, LIBRARIES),
            ("gradient", self.gradient, GRADIENTS),
        ):
            if value not in known:
                raise ValueError(f"{name} {value!r}; allowed: {', '.join(known)}")


class Counted(nn.Module):
    """A right-hand side that counts its evaluations, forward and backward apart.

    An evaluation counts as backward while autograd runs the backward pass, as continuous adjoints and checkpointing do.
    """

    def __init__(self, f: nn.Module, max_nfe: int = 100_000) -> None:
        super().__init__()
        self.f = f
        self.max_nfe = max_nfe
        self.forward_nfe = 0
        self.backward_nfe = 0
        self.accepted = 0  # steps of all forward solves, where the library tells them (ours does)
        self.rejected = 0

    def forward(self, t: Tensor, y: Any) -> Any:
        if torch._C._current_graph_task_id() == -1:
            self.forward_nfe += 1
        else:
            self.backward_nfe += 1
        if max(self.forward_nfe, self.backward_nfe) > self.max_nfe:
            raise NumericalFailure("max_steps", f"more than {self.max_nfe} evaluations")
        return self.f(t, y)

    def take(self) -> tuple[int, int]:
        """Evaluations (forward, backward) since the last call."""
        counts = self.forward_nfe, self.backward_nfe
        self.forward_nfe = self.backward_nfe = 0
        return counts


def integrate(f: nn.Module, y0: Tensor, t: Tensor, solver: Solver) -> Tensor:
    """Solve dy/dt = f(t, y), y(t[0]) = y0; states at all times t, shape (len(t), *y0.shape).

    Raises:
        NumericalFailure: with the status that tells why.
    """
    return LIBRARIES[solver.library](f, y0, t, solver)


@dataclass(frozen=True)
class Solved:
    """What became of S samples: states (w, S, ...), nan from where a sample failed, and per sample why, and its cost."""

    ys: Tensor
    failures: list[NumericalFailure | None]
    nfe: float
    accepted: float
    rejected: float


def steps_samples(solver: Solver) -> bool:
    """Whether `integrate_samples` can do what this solver asks for."""
    from odestudy.ode import TABLEAUS

    known = TABLEAUS.get(solver.method)
    adaptive = bool(getattr(known, "adaptive", False)) and solver.step is None
    return solver.library == "odestudy" and solver.gradient == "backprop" and adaptive


def integrate_samples(f: Any, y0: Tensor, t: Tensor, solver: Solver) -> Solved:
    """Solve S initial value problems from y0 (S, ...) at times t (S, w), each with its own steps (ours only).

    Rows of t may end in nan, where a sample has fewer times. Counts are means over the samples.

    Raises:
        ValueError: the library, the gradient or the method cannot step samples by themselves.
    """
    from odestudy.ode import TABLEAUS, solve_batch

    if not steps_samples(solver):
        raise ValueError(
            f"{solver} cannot step samples by themselves; ours can, by back-propagation and adaptive steps"
        )
    stages = len(TABLEAUS[solver.method].c)
    solution = solve_batch(
        f, y0, t, method=solver.method, rtol=solver.rtol, atol=solver.atol, gradient=solver.gradient,
        max_steps=max(1, solver.max_nfe // stages), throw=False,
    )  # fmt: skip
    samples = solution.samples
    assert samples is not None, "a batch tells of each sample"
    assert isinstance(solution.ys, Tensor), "one tensor in, one tensor out"
    failures = [
        None if status == "ok" else NumericalFailure(status, message)
        for status, message in zip(samples.statuses, samples.messages, strict=True)
    ]
    counts = (float(c.double().mean()) for c in (samples.nfe, samples.accepted, samples.rejected))
    return Solved(solution.ys, failures, *counts)


LINEARISED = ("rodas5p", "auto")  # methods that need a Jacobian, beside the implicit tableaus


def _odestudy(f: nn.Module, y0: Tensor, t: Tensor, solver: Solver) -> Tensor:
    from odestudy.ode import IMPLICIT_TABLEAUS, solve

    gradient, norm = GRADIENTS[solver.gradient]
    method, options = SCIPY.get(solver.method, (solver.method, None))
    if solver.separate and (method in IMPLICIT_TABLEAUS or method in LINEARISED):
        options = {"jacobian": "per_sample"}
    solution = solve(
        f, y0, t, method=method, rtol=solver.rtol, atol=solver.atol, dt0=solver.step,
        gradient=gradient, adjoint_norm=norm, options=options, throw=False,
    )  # fmt: skip
    if isinstance(f, Counted):
        f.accepted += solution.stats.accepted
        f.rejected += solution.stats.rejected
    if solution.status != "ok":
        raise NumericalFailure(solution.status, solution.message)
    assert isinstance(solution.ys, Tensor), "one tensor in, one tensor out"
    return solution.ys


def _torchdiffeq(f: nn.Module, y0: Tensor, t: Tensor, solver: Solver) -> Tensor:
    import torchdiffeq

    options: dict[str, Any] = {} if solver.step is None else {"step_size": solver.step}
    common: dict[str, Any] = {
        "rtol": solver.rtol,
        "atol": solver.atol,
        "method": solver.method,
        "options": options,
    }
    if solver.gradient == "backprop":
        return torchdiffeq.odeint(f, y0, t, **common)
    if solver.gradient == "adjoint_seminorm":
        common["adjoint_options"] = {**options, "norm": "seminorm"}
    elif solver.gradient != "adjoint":
        raise ValueError(
            f"torchdiffeq has no gradient {solver.gradient!r}; allowed: backprop, adjoint, adjoint_seminorm"
        )
    return torchdiffeq.odeint_adjoint(f, y0, t, **common)


def _torchode(f: nn.Module, y0: Tensor, t: Tensor, solver: Solver) -> Tensor:
    """torchode steps each sample on its own, with states of shape (batch, d) and no fixed steps."""
    import torchode

    if solver.gradient != "backprop" or solver.method != "dopri5" or solver.step is not None:
        raise ValueError(f"torchode takes dopri5, adaptive, with gradient backprop here; got {solver}")
    shape = y0.shape

    def rows(time: Tensor, y: Tensor) -> Tensor:
        return f(time[0], y.reshape(shape)).reshape(len(y), -1)

    term = torchode.ODETerm(rows)
    controller = torchode.IntegralController(solver.atol, solver.rtol, term=term)
    adjoint = torchode.AutoDiffAdjoint(torchode.Dopri5(term=term), controller)
    start = y0.reshape(len(y0), -1)
    found = adjoint.solve(torchode.InitialValueProblem(start, t_eval=t.expand(len(y0), -1)))
    status = int(found.status.max())
    if status != 0:
        reason = torchode.status_codes.Status(status).name
        raise NumericalFailure(
            "max_steps" if "MAX" in reason else "step_size_underflow", f"torchode: {reason}"
        )
    return found.ys.movedim(1, 0).reshape(len(t), *shape)


LIBRARIES: dict[str, Callable[[nn.Module, Tensor, Tensor, Solver], Tensor]] = {
    "odestudy": _odestudy,
    "torchdiffeq": _torchdiffeq,
    "torchode": _torchode,
}
# A solver of scipy's by one name -> method and options of odestudy.ode.solve.
SCIPY = {"scipy_adams": ("scipy_solver", {"solver": "adams"})}
# Our name -> gradient and adjoint norm of odestudy.ode.solve.
GRADIENTS = {
    "backprop": ("backprop", "mixed"),
    "adjoint": ("adjoint", "mixed"),
    "adjoint_seminorm": ("adjoint", "seminorm"),
    "quadrature": ("quadrature", "mixed"),
    "checkpointed": ("checkpointed", "mixed"),
    "forward": ("forward", "mixed"),
    "reversible": ("reversible", "mixed"),
}


def named_failure(error: BaseException) -> NumericalFailure | None:
    """The numerical failure that an exception of a library or of torch stands for; None where it is a bug.

    torchdiffeq tells failures by assertions, in the forward solve and inside the backward pass alike.
    """
    from odestudy.ode import SolveError

    if isinstance(error, NumericalFailure):
        return error
    if isinstance(error, SolveError):  # raised inside a backward pass
        return NumericalFailure(error.status, str(error))
    text = str(error)
    if isinstance(error, torch.OutOfMemoryError):
        return NumericalFailure("out_of_memory", text.splitlines()[0])
    if isinstance(error, AssertionError):
        for part, status in (
            ("underflow in dt", "step_size_underflow"),
            ("non-finite", "non_finite"),
            ("max_num_steps", "max_steps"),
        ):
            if part in text:
                return NumericalFailure(status, f"torchdiffeq: {text.splitlines()[0]}")
    return None


def failed(error: Exception) -> Row:
    """Status and message of the numerical failure that an exception stands for.

    Raises:
        Exception: `error` itself, where it is a bug.
    """
    failure = named_failure(error)
    if failure is None:
        raise error
    return {"status": failure.status, "message": str(failure)}
