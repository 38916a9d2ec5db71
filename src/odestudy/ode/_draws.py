"""Random numbers that f draws: whether it does, and how to draw the same ones again."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

RANDOM = (
    "f draws random numbers at each evaluation, and this gradient evaluates it anew: take gradient='backprop', or "
    "'checkpointed' with fixed steps, or draw the numbers once, before the solve"
)
States = tuple[Any, ...]


def generator_states(device: torch.device, own: Sequence[Any] = ()) -> States:
    """Of the generators of torch, on the host and the device, of numpy, of Python, and of f's `own` ones."""
    _, key, *numpys = np.random.get_state(legacy=True)
    cuda = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    host = (torch.get_rng_state(), (np.asarray(key).tobytes(), *numpys), random.getstate())
    return (*host, cuda, *(_state(generator) for generator in own))


def _state(generator: Any) -> Any:
    """That of one of torch's, numpy's or Python's generators, comparable."""
    if isinstance(generator, torch.Generator):
        return generator.get_state()
    if isinstance(generator, random.Random):
        return generator.getstate()
    kept = (
        generator.bit_generator.state if isinstance(generator, np.random.Generator) else generator.get_state()
    )
    return _comparable(kept)


def _comparable(kept: Any) -> Any:
    """The same with bytes in place of arrays."""
    if isinstance(kept, dict):
        return {name: _comparable(value) for name, value in kept.items()}
    if isinstance(kept, tuple):
        return tuple(map(_comparable, kept))
    return kept.tobytes() if isinstance(kept, np.ndarray) else kept


def set_generators(states: States, device: torch.device) -> None:
    """The inverse of `generator_states` without own ones."""
    host, (key, *numpys), python, cuda = states
    torch.set_rng_state(host)
    np.random.set_state(("MT19937", np.frombuffer(key, dtype=np.uint32), *numpys))
    random.setstate(python)
    if cuda is not None:
        torch.cuda.set_rng_state(cuda, device)


def same(a: States, b: States) -> bool:
    """Whether nothing was drawn between the two."""
    pairs = zip(a, b, strict=True)
    return all(torch.equal(x, y) if isinstance(x, torch.Tensor) else x == y for x, y in pairs)


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
