"""Event times, with their gradient, as torchdiffeq's odeint_event."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from odestudy.ode._event import Event, EventFn, ReportedEvent
from odestudy.ode._event_gradient import rerouted
from odestudy.ode._odeint import odeint
from odestudy.ode._problem import make_problem
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

    For the gradients see `rerouted`. kwargs go to odeint_interface. Raises as `odeint`.
    """
    step = -1.0 if reverse_time else 1.0
    t = torch.cat([t0.reshape(-1), t0.detach().reshape(-1) + step])
    watched = ReportedEvent(event_fn)
    event_t, solution = odeint_interface(func, y0, t, event_fn=watched, **kwargs)
    problem = make_problem(func, y0, ())
    flat = problem.layout.flatten(solution, leading=1)
    event = Event(event_fn, problem, float(t0.detach()))
    event.index = watched.index
    event_t, end = rerouted(problem, event, event_t, flat[-1])
    return event_t, problem.restore(torch.stack([flat[0], end]))
