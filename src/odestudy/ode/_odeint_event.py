"""Event times, with their gradient, as torchdiffeq's odeint_event."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from odestudy.ode._event import Event, EventFn
from odestudy.ode._odeint import odeint
from odestudy.ode._problem import Problem, make_problem
from odestudy.ode._state import State


def odeint_event(
    func: Callable[[Tensor, Any], Any],
    y0: State,
    t0: Tensor,
    *,
    event_fn: EventFn,
    reverse_time: bool = False,
    odeint_interface: Callable[..., Any] = odeint,
    **kwargs: Any,
) -> tuple[Tensor, State]:
    """(time of the first event, states at t0 and there), with gradients in y0, parameters and event_fn's own.

    dt* = -dc / (dc/dt + dc/dy f) by the implicit function theorem, and the state moves with t* by f
    (Chen, Amos, Nickel 2021, arXiv 2011.03902, eq. 8). kwargs go to odeint_interface. Raises as `odeint`.
    """
    step = -1.0 if reverse_time else 1.0
    t = torch.cat([t0.reshape(-1), t0.detach().reshape(-1) + step])
    event_t, solution = odeint_interface(func, y0, t, event_fn=event_fn, **kwargs)
    problem = make_problem(func, y0, ())
    flat = solution if problem.shapes is None else torch.cat([s.reshape(len(s), -1) for s in solution], -1)
    event_t, end = _reroute(problem, Event(event_fn, problem, float(t0.detach())), event_t, flat[-1])
    return event_t, problem.restore(torch.stack([flat[0], end]))


def _reroute(problem: Problem, event: Event, t: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The event's time and state as functions of each other's causes; values stay as they are."""
    with torch.enable_grad():
        time = t.detach().clone().requires_grad_()
        state = y.detach().clone().requires_grad_()
        slope = problem.f(time.to(y.dtype).to(y.device), state).detach()
        along_t, along_y = torch.autograd.grad(
            event.least(time, state), (time, state), allow_unused=True, materialize_grads=True
        )
    rate = along_t.to(y.device) + (along_y * slope).sum()
    c = event.least(t.detach(), y)  # depends on y, and on event_fn's own parameters
    shift = -(c - c.detach()) / torch.where(rate == 0, torch.full_like(rate, 1e-12), rate)
    return t.detach() + shift.to(t), y + slope * shift.to(y.dtype)
