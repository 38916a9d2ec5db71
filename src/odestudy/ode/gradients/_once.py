"""Backward passes by formulas of their own."""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from odestudy.ode._draws import RANDOM, generator_states, same
from odestudy.ode._layout import without_autocast
from odestudy.ode._reach import generators
from odestudy.ode._refusal import refuse_twice

Backward = Callable[..., tuple[Tensor | None, ...]]


def once(gradient: str) -> Callable[[Backward], Backward]:
    """A backward pass in the state's own precision, which f must not make random.

    Its result raises RuntimeError where it is differentiated again, which it knows nothing about.
    """

    message = (
        f"gradient {gradient!r} is differentiated once only: take gradient='backprop' (odeint in place of "
        "odeint_adjoint) for gradients of gradients"
    )

    def decorate(backward: Backward) -> Backward:
        @functools.wraps(backward)
        def wrapper(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
            device = grads[0].device
            own = (*ctx.run.generators, *generators(ctx.run.problem.f))
            before = generator_states(device, own)
            with torch.no_grad(), without_autocast(device):
                results = backward(ctx, *grads)
            if not same(before, generator_states(device, own)):
                raise RuntimeError(RANDOM)
            if not torch.is_grad_enabled():
                return results
            run, problem = ctx.run, ctx.run.problem
            causes = (problem.y0, run.times.tensor, *(problem.params or ()), *run.sources, *grads)
            return refuse_twice(results, message, *causes)

        return wrapper

    return decorate
