"""`solve` with a step size, a time and an end for each sample."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from odestudy.ode._control import Control
from odestudy.ode._event import EventFn
from odestudy.ode._explicit_rk import ExplicitRK
from odestudy.ode._layout import without_autocast
from odestudy.ode._methods import TABLEAUS, make_stepper
from odestudy.ode._norms import Norm, rms
from odestudy.ode._problem import make_problem
from odestudy.ode._solution import Samples, Solution
from odestudy.ode._state import State
from odestudy.ode._status import Failure, Status, choose
from odestudy.ode._stepper import Stepper
from odestudy.ode._tableau import ExplicitTableau
from odestudy.ode._tolerance import Tolerance, make_tolerance
from odestudy.ode.per_sample._control import norm_of_rows
from odestudy.ode.per_sample._event import SampleEvent
from odestudy.ode.per_sample._field import SampleProblem, make_sample_problem
from odestudy.ode.per_sample._run import SampleRun
from odestudy.ode.per_sample._times import make_sample_times
from odestudy.ode.per_sample.gradients import SAMPLE_GRADIENTS

SEVERITY: tuple[Status, ...] = ("non_finite", "step_size_underflow", "max_steps")  # the worst first


def solve_per_sample(
    f: Callable[[Tensor, Any], Any],
    y0: State,
    t: Tensor | Sequence[float],
    control: Control,
    *,
    method: str | ExplicitTableau,
    rtol: Any,
    atol: Any,
    dt0: float | Tensor | None,
    gradient: str,
    norm: str | Norm | None,
    params: Iterable[Tensor] | nn.Module | None,
    event_fn: EventFn | None,
    refused: Mapping[str, bool],
) -> Solution:
    """Solves dy/dt = f(t, y) for each sample by itself, as far as steps and errors go; see `solve`."""
    ignored = [name for name, given in refused.items() if given]
    if ignored:
        raise ValueError(
            f"per_sample takes no {', '.join(ignored)}: leave them out, or solve without per_sample"
        )
    problem = make_sample_problem(f, y0, params)
    times = make_sample_times(t, problem.y0)
    choose("gradient with per_sample:", gradient, SAMPLE_GRADIENTS)
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
    with without_autocast(problem.y0.device):
        return _finish(run, gradient)


def _finish(run: SampleRun, gradient: str) -> Solution:
    problem, times = run.problem, run.times
    ys = SAMPLE_GRADIENTS[gradient](run)
    ts, event_t = times.tensor, None
    if run.event is not None:
        event_t, end = run.event.results(run.field(), ys[1])
        ys, event_t = torch.stack([ys[0], end]), event_t.to(ts)
        ts = torch.stack([ts.detach()[..., 0].expand(len(event_t)), event_t.detach()], 1)
    status, message = _worst(run.failures, len(problem.y0))
    return Solution(ts, problem.restore(ys), run.stats, status, message, None, event_t, _samples(run))


def _embedded(stepper: Stepper) -> ExplicitRK:
    if isinstance(stepper, ExplicitRK) and stepper.error_power > 0:
        return stepper
    pairs = ", ".join(sorted(name for name, tableau in TABLEAUS.items() if tableau.adaptive))
    raise ValueError(
        f"per_sample needs an explicit pair with an error estimate, not {stepper.name!r}; known are: {pairs}"
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
    given = torch.as_tensor(dt0, dtype=torch.float64).detach().abs().cpu()
    if given.shape not in (torch.Size([]), torch.Size([batch])):
        raise ValueError(f"dt0 must be a number or of shape [{batch}], got {tuple(given.shape)}")
    if not bool(((given > 0) & (given < math.inf)).all()):
        raise ValueError(
            f"dt0 {given.tolist()}: need finite step sizes other than 0, or None to have them chosen"
        )
    return given.expand(batch).numpy()


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
