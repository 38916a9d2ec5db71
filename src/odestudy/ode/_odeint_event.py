"""Event times, with their gradient, as torchdiffeq's odeint_event."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from odestudy.ode._event import Event, EventFn, ReportedEvent
from odestudy.ode._event_gradient import rerouted
from odestudy.ode._odeint import odeint
from odestudy.ode._problem import make_problem
from odestudy.ode._state import S


def odeint_event(
    func: Callable[[Tensor, Any], Any],
    y0: S,
    t0: Tensor,
    *,
    event_fn: EventFn,
    reverse_time: bool = False,
    odeint_interface: Callable[..., Any] = odeint,
    **kwargs: Any,
) -> tuple[Tensor, S]:
    """When an event comes, and the state there, as functions of what they depend on.

    Args:
        func: as for `odeint`.
        y0: initial state, a tensor of any shape or a tuple of them.
        t0: the time of y0, a scalar tensor; may require a gradient.
        event_fn: callable event_fn(t, y), a tensor; the solve ends where an element changes its sign.
        reverse_time: whether to go backwards in time.
        odeint_interface: `odeint` or `odeint_adjoint`, ours or torchdiffeq's.
        kwargs: what odeint_interface takes beside.

    Returns:
        The event's time, a scalar, and the states at t0 and there, shape [2, *y0.shape], or a tuple of such; their
        gradients (by the implicit function theorem) are in y0, t0, parameters, and those of event_fn.

    Raises:
        ValueError: an argument is wrong, or an option unknown.
        SolveError: the solve failed, or met no event.
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
    states: Any = problem.restore(torch.stack([flat[0], end]))
    return event_t, states
