"""The gradient of an event's time, and of the state there."""

import torch
from torch import Tensor

from odestudy.ode._event import Event
from odestudy.ode._precision import as_like, on
from odestudy.ode._problem import Problem
from odestudy.ode._refusal import differentiated_once, without_derivative

ONCE = "an event's time is differentiated once only: leave out create_graph, or solve to a time that is given"
NO_DERIVATIVE = "an event that only says yes or no has no derivative: let event_fn return a number that changes its sign there"


def rerouted(problem: Problem, event: Event, t: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The event's time and flat state as functions of each other's causes; values stay as they are.

    dt* = -dc / (dc/dt + dc/dy f) by the implicit function theorem, and the state moves with t* by f
    (Chen, Amos, Nickel 2021, arXiv 2011.03902, eq. 8).
    """
    if not torch.is_grad_enabled():
        return t, y
    with torch.enable_grad():
        time = t.detach().clone().requires_grad_()
        state = y.detach().clone().requires_grad_()
        value = _crossing(event, time, state)
        if not value.requires_grad:
            return t.detach(), without_derivative(y, NO_DERIVATIVE)
        slope = problem.f(time.to(y.dtype).to(y.device), state).detach()
        along_t, along_y = torch.autograd.grad(
            value, (time, state), allow_unused=True, materialize_grads=True
        )
    rate = on(y.device, along_t) + (along_y * slope).sum()
    c = _crossing(event, t.detach(), y)  # depends on y, and on event_fn's own parameters
    shift = -(c - c.detach()) / torch.where(rate == 0, torch.full_like(rate, 1e-12), rate)
    shift = differentiated_once(shift, ONCE)
    return t.detach() + as_like(shift, t), y + slope * shift.to(y.dtype)


def _crossing(event: Event, t: Tensor, y: Tensor) -> Tensor:
    """The element that ended the solve; the nearest one where another library has found the event."""
    return event.least(t, y) if event.index is None else event.values(t, y)[event.index]
