"""The tensors that f depends on, found by looking on while it is evaluated."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

OFTEN, SELDOM = 4, 16


def due(call: int) -> bool:
    """Whether this evaluation, counted from 1, is looked at: the first, the fourth and every sixteenth."""
    return call % SELDOM == 0 or call in (1, OFTEN)


class Uses(TorchFunctionMode):
    """Notes the tensors that need a gradient and reach f's operations from outside, beside the `known` ones.

    `generators` are those that f hands to its operations, in place of torch's own.
    """

    def __init__(self, known: Iterable[Tensor] = ()) -> None:
        super().__init__()
        self.known = {id(x) for x in known}
        self.made: dict[int, Tensor] = {}  # inside f; kept, so that no other tensor takes the identity
        self.found: dict[int, Tensor] = {}
        self.generators: dict[int, torch.Generator] = {}
        self.since = 0

    def watch(self, f: Callable[[Tensor, Tensor], Tensor], t: Tensor, y: Tensor) -> Tensor:
        """f(t, y), with an eye on what else it depends on."""
        self.made, self.since = {id(t): t, id(y): y}, _next_node()
        with self:
            slope = f(t, y)
        if isinstance(slope, Tensor) and self._outside(slope):
            self.found[id(slope)] = slope
        self.made = {}
        return slope

    def _outside(self, x: Tensor) -> bool:
        """Whether it needs a gradient, and was there before f was evaluated."""
        if not x.requires_grad or id(x) in self.made or id(x) in self.known:
            return False
        return not _wrapped(x) and (x.grad_fn is None or x.grad_fn._sequence_nr() < self.since)

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if kwargs and isinstance(generator := kwargs.get("generator"), torch.Generator):
            self.generators[id(generator)] = generator
        made = list(tensors((result,)))
        if made and func is not Tensor.detach:
            for x in tensors((*args, *(kwargs or {}).values())):
                if self._outside(x):
                    self.found[id(x)] = x
        self.made.update((id(x), x) for x in made)
        return result


def _next_node() -> int:
    """The number that autograd gives to what is computed next."""
    with torch.enable_grad():
        node = torch.zeros((), requires_grad=True).clone().grad_fn
    assert node is not None, "a clone has a node"
    return node._sequence_nr()


def _wrapped(x: Tensor) -> bool:
    """Whether it is a stand-in of torch.func's transforms, which lives within f only."""
    return torch._C._functorch.is_functorch_wrapped_tensor(x)


def tensors(values: Iterable[Any]) -> Iterable[Tensor]:
    """Those among the values, and in the lists among them."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, tuple | list):
            yield from tensors(value)
