"""Random numbers that f draws: whether it does, and how to draw the same ones again."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

RANDOM = (
    "f draws random numbers at each evaluation, and this gradient evaluates it anew: take gradient='backprop', or "
    "'checkpointed' with fixed steps, or draw the numbers once, before the solve"
)
States = tuple[Tensor, ...]


def generator_states(device: torch.device) -> States:
    """Of the host's generator, and of the device's."""
    states = (torch.get_rng_state(),)
    return (*states, torch.cuda.get_rng_state(device)) if device.type == "cuda" else states


def set_generators(states: States, device: torch.device) -> None:
    """The inverse of `generator_states`."""
    torch.set_rng_state(states[0])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states[1], device)


def same(a: States, b: States) -> bool:
    """Whether nothing was drawn between the two."""
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@contextmanager
def drawing_again(device: torch.device) -> Iterator[None]:
    """What is drawn inside leaves the generators as they were."""
    before = generator_states(device)
    try:
        yield
    finally:
        set_generators(before, device)


class Draws:
    """The generators' states before each step, kept for as long as the steps draw from them.

    Numbers drawn in the first step only are an f's that fills itself: it has them still when asked again.
    """

    def __init__(self, device: torch.device) -> None:
        self.device, self.states = device, [generator_states(device)]

    @property
    def random(self) -> bool:
        """Whether the last step that was looked at drew some."""
        return len(self.states) > 1 and not same(self.states[-2], self.states[-1])

    def step_taken(self) -> None:
        """To be called after each accepted step."""
        if len(self.states) < 3 or self.random:
            self.states.append(generator_states(self.device))
