"""Backward passes by formulas of their own."""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from odestudy.ode._draws import RANDOM, generator_states, same
from odestudy.ode._layout import without_autocast
from odestudy.ode._refusal import refuse_twice

Backward = Callable[..., tuple[Tensor | None, ...]]


def once(gradient: str) -> Callable[[Backward], Backward]:
    """A backward pass in the state's own precision, which f must not make random.

    Its result raises RuntimeError where it is differentiated again, which it knows nothing about.
    """

    def decorate(backward: Backward) -> Backward:
        @functools.wraps(backward)
        def wrapper(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
            device = grads[0].device
            own = tuple(ctx.run.generators)
            before = generator_states(device, own)
            with torch.no_grad(), without_autocast(device):
                results = backward(ctx, *grads)
            if not same(before, generator_states(device, own)):
                raise RuntimeError(RANDOM)
            return refuse_twice(results, f"gradient {gradient!r}") if torch.is_grad_enabled() else results

        return wrapper

    return decorate
