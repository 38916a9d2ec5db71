"""`solve` with a step size, a time and an end for each sample."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypedDict, Unpack, overload

import numpy as np
import torch
from torch import Tensor, nn

from odestudy.ode._arguments import number
from odestudy.ode._control import Control
from odestudy.ode._controller import PIDController
from odestudy.ode._event import EventFn
from odestudy.ode._explicit_rk import ExplicitRK
from odestudy.ode._layout import without_autocast
from odestudy.ode._methods import TABLEAUS, controller_of, make_stepper
from odestudy.ode._norms import Norm, rms
from odestudy.ode._precision import as_like
from odestudy.ode._problem import make_problem
from odestudy.ode._save import check_save
from odestudy.ode._solution import Samples, Solution
from odestudy.ode._state import S, State, V
from odestudy.ode._status import Failure, Status, choose
from odestudy.ode._stepper import Stepper
from odestudy.ode._tableau import ExplicitTableau
from odestudy.ode._tolerance import Tolerance, make_tolerance
from odestudy.ode.per_sample._control import norm_of_rows
from odestudy.ode.per_sample._event import SampleEvent
from odestudy.ode.per_sample._field import SampleProblem, make_sample_problem
from odestudy.ode.per_sample._run import SampleRun
from odestudy.ode.per_sample._save import last_of, of_states, on_rows
from odestudy.ode.per_sample._times import make_sample_times
from odestudy.ode.per_sample.gradients import SAMPLE_GRADIENTS

SEVERITY: tuple[Status, ...] = ("non_finite", "step_size_underflow", "max_steps")  # the worst first


class BatchSettings(TypedDict, total=False):
    """As in the signature of `solve_batch`."""

    method: str | ExplicitTableau
    rtol: float | Tensor | Sequence[Any]
    atol: float | Tensor | Sequence[Any]
    dt0: float | Tensor | None
    gradient: str
    norm: str | Norm | None
    controller: PIDController | None
    dtmin: float
    dtmax: float
    max_steps: int
    params: Iterable[Tensor] | nn.Module | None
    event_fn: EventFn | None
    throw: bool


@overload
def solve_batch(
    f: Callable[[Tensor, Any], Any],
    y0: S,
    t: Tensor | Sequence[float],
    *,
    save: Literal["all", "end"] = "all",
    **settings: Unpack[BatchSettings],
) -> Solution[S]: ...


@overload
def solve_batch(
    f: Callable[[Tensor, Any], Any],
    y0: S,
    t: Tensor | Sequence[float],
    *,
    save: Callable[[Tensor, S], V],
    **settings: Unpack[BatchSettings],
) -> Solution[V]: ...


def solve_batch(
    f: Callable[[Tensor, Any], Any],
    y0: Any,
    t: Tensor | Sequence[float],
    *,
    save: Literal["all", "end"] | Callable[[Tensor, Any], Any] = "all",
    method: str | ExplicitTableau = "dopri5",
    rtol: float | Tensor | Sequence[Any] = 1e-6,
    atol: float | Tensor | Sequence[Any] = 1e-8,
    dt0: float | Tensor | None = None,
    gradient: str = "backprop",
    norm: str | Norm | None = None,
    controller: PIDController | None = None,
    dtmin: float = 0.0,
    dtmax: float = float("inf"),
    max_steps: int = 100_000,
    params: Iterable[Tensor] | nn.Module | None = None,
    event_fn: EventFn | None = None,
    throw: bool = True,
) -> Solution[Any]:
    """Solves dy/dt = f(t, y) for each sample of a batch by itself: its own steps, times, error and end.

    Args:
        f: callable f(t, y), t of shape [n], y [n, ...], for the n samples still under way; gives dy/dt, shaped
            like y. One that keeps something of each sample has a method for_samples(index), index of shape
            [n], that gives f for those alone (BatchedModels has).
        y0: initial states, shape [B, ...], or a tuple of such; float32 or float64.
        t: times, shape [T] for all samples or [B, T], a row a sample, nan behind its last; they increase or
            decrease, and the same one may come again.
        save: "all" states at these times, shape [T, B, ...], or each sample's one at its "end" alone, [B, ...] (its
            event, where there is one); or a callable save(t, y), t of shape [n], y [n, ...], for n states of any
            samples at a time, whose result, a tensor or a tuple of them, [n, *result], is kept in their place,
            [T, B, *result]; one that keeps something of each sample has for_samples, as f.
        method: an explicit pair with an error estimate, by name or as a tableau.
        rtol: the part of |y| that a step's error may be: a number, a tensor that broadcasts to y0, or one of them
            for each tensor of a tuple.
        atol: what it may be beside that; as rtol.
        dt0: size of the first step, a number or of shape [B].
        gradient: how ys are differentiated, "backprop" or "checkpointed".
        norm: of a sample's error: "rms", "linf" or a callable on one sample's state.
        controller: choice of the step sizes; None is the method's own.
        dtmin: the smallest step; a sample that would need a smaller one fails.
        dtmax: the largest one.
        max_steps: attempted steps after which a sample fails.
        params: what f depends on, tensors or a module; None takes f's own where it is a module. Gradient
            "checkpointed" needs them.
        event_fn: callable event_fn(t, y), values with the samples first; a sample ends where one of its
            elements changes its sign. event_t has shape [B] and is, like the states there, differentiable.
        throw: whether a sample that fails raises SolveError. Otherwise it leaves nan and stops no other:
            Solution.samples has each sample's status.

    Returns:
        Solution: ys of shape [T, B, ...], or a tuple of such, or what `save` asks for.

    Raises:
        ValueError: an argument is wrong; before f is evaluated.
        SolveError: a sample failed (`throw`).
    """
    if controller is not None and not isinstance(controller, PIDController):
        raise ValueError(f"controller must be a PIDController or None, got {controller!r}")
    if event_fn is not None and not callable(event_fn):
        raise ValueError(f"event_fn must be a callable event_fn(t, y) or None, got {event_fn!r}")
    control = Control(
        pid=controller or controller_of(method),
        dtmin=number("dtmin", dtmin),
        dtmax=number("dtmax", dtmax),
        max_steps=max_steps,
    )
    check_save(save)
    problem = make_sample_problem(f, y0, params)
    times = make_sample_times(t, problem.y0)
    if save == "end" and event_fn is None and not times.differentiable:
        times = times.only_ends()
    choose("gradient of solve_batch:", gradient, SAMPLE_GRADIENTS)
    run = SampleRun(
        problem,
        times,
        _embedded(make_stepper(method)),
        _tolerance(rtol, atol, norm, y0, problem),
        control,
        None if dt0 is None else _first_sizes(dt0, len(problem.y0)),
    )
    if event_fn is not None:
        run.event = SampleEvent(event_fn, problem, times.values[:, 0].copy())
    if callable(save) and gradient == "backprop" and event_fn is None:
        run.kept = on_rows(save, problem)
    with without_autocast(problem.y0.device):
        found = _finish(run, gradient, save)
    return found.raise_on_failure() if throw else found


def _finish(run: SampleRun, gradient: str, save: Any) -> Solution:
    problem, times = run.problem, run.times
    ys: Any = SAMPLE_GRADIENTS[gradient](run)
    ts, event_t = times.tensor, None
    if run.event is not None:
        event_t, end = run.event.results(run.field(), ys[1])
        ys, event_t = torch.stack([ys[0], end]), as_like(event_t, ts)
        ts = torch.stack([ts.detach()[..., 0].expand(len(event_t)), event_t.detach()], 1)
    if save == "end":
        ts = times.last if run.event is None else ts[:, 1]
        ys = problem.restore(last_of(ys, times.counts if run.event is None else None))
    elif save == "all":
        ys = problem.restore(ys)
    elif run.kept is None:
        ys = of_states(on_rows(save, problem), run.times.values, ys)
    status, message = _worst(run.failures, len(problem.y0))
    return Solution(ts, ys, run.stats, status, message, None, event_t, _samples(run))


def _embedded(stepper: Stepper) -> ExplicitRK:
    if isinstance(stepper, ExplicitRK) and stepper.error_power > 0:
        return stepper
    pairs = ", ".join(sorted(name for name, tableau in TABLEAUS.items() if tableau.adaptive))
    raise ValueError(
        f"solve_batch needs an explicit pair with an error estimate, not {stepper.name!r}; known are: {pairs}"
    )


def _tolerance(rtol: Any, atol: Any, norm: str | Norm | None, y0: State, problem: SampleProblem) -> Tolerance:
    """Tolerances as for the whole batch, laid out in rows; the norm is taken of each row."""
    whole = make_tolerance(rtol, atol, rms, make_problem(problem.f, y0, ()))
    parts = (y0,) if isinstance(y0, Tensor) else y0

    def rows(allowed: float | Tensor) -> float | Tensor:
        if isinstance(allowed, float):
            return allowed
        if problem.is_tuple:
            split = allowed.expand(sum(p.numel() for p in parts)).split([p.numel() for p in parts])
            return torch.cat([a.reshape(len(p), -1) for a, p in zip(split, parts, strict=True)], 1)
        return allowed.to(problem.y0).expand(parts[0].shape).reshape(problem.y0.shape)

    return Tolerance(rows(whole.rtol), rows(whole.atol), norm_of_rows(norm, problem))


def _first_sizes(dt0: float | Tensor, batch: int) -> np.ndarray:
    """|dt0| for each sample; ValueError where one is 0, or not finite."""
    given = np.abs(np.array(dt0.detach().tolist() if isinstance(dt0, Tensor) else dt0, dtype=np.float64))
    if given.shape not in ((), (batch,)):
        raise ValueError(f"dt0 must be a number or of shape [{batch}], got {given.shape}")
    if not ((given > 0) & (given < math.inf)).all():
        raise ValueError(
            f"dt0 {given.tolist()}: need finite step sizes other than 0, or None to have them chosen"
        )
    return np.broadcast_to(given, (batch,))


def _worst(failures: Mapping[int, Failure], batch: int) -> tuple[Status, str]:
    if not failures:
        return "ok", ""
    sample, worst = min(failures.items(), key=lambda item: (SEVERITY.index(item[1].status), item[0]))
    return worst.status, f"{len(failures)} of {batch} samples failed; sample {sample}: {worst.message}"


def _samples(run: SampleRun) -> Samples:
    everyone = range(len(run.accepted))
    failures = [run.failures.get(i) for i in everyone]
    return Samples(
        nfe=torch.from_numpy(run.nfe),
        accepted=torch.from_numpy(run.accepted),
        rejected=torch.from_numpy(run.rejected),
        statuses=tuple("ok" if failed is None else failed.status for failed in failures),
        messages=tuple("" if failed is None else failed.message for failed in failures),
    )
