"""What a gradient is wanted of beside the state: f's parameters, and the other tensors that it uses."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from odestudy.ode._guard import Guard
from odestudy.ode._reach import reachable
from odestudy.ode._step import VectorField
from odestudy.ode._uses import Uses, due

UNSEEN = (
    "f depends on a tensor of shape {} that needs a gradient and that was not seen while it was evaluated: name it in "
    "params (or take gradient='backprop'), or detach it"
)


class Sources:
    """f, and the tensors by which a backward pass differentiates it.

    These are `given`; where one was computed from another, copies stand in for those that were computed, as a
    gradient through f would otherwise be carried on into their history, for each evaluation anew. Where all that
    f depends on is to be `complete`, evaluations are looked at now and then for what is not among it, and each for
    the `hidden` tensors, which f could use, and did not when it was seen.
    """

    def __init__(self, f: VectorField, given: tuple[Tensor, ...], complete: bool = True) -> None:
        copies = {}
        if _entangled(given):
            copies = {id(x): x.detach().requires_grad_() for x in given if x.grad_fn is not None}
        self.tensors = tuple(copies.get(id(x), x) for x in given)
        self.f = StandIns(copies).within(f) if copies else f
        self.complete = complete
        self.ends = [x.grad_fn for x in self.tensors if x.grad_fn is not None]
        self.known = {id(x) for x in self.tensors}
        self.hidden = _apart(reachable(f), given) if complete else ()
        self.calls, self.strangers = 0, dict[int, Tensor]()

    def gradients(
        self, outputs: Tensor | Sequence[Tensor], inputs: Sequence[Tensor], grads: Tensor | Sequence[Tensor]
    ) -> list[Tensor]:
        """Those of the inputs, zeros where the outputs do not depend on one.

        Raises RuntimeError where they depend on a hidden tensor.
        """
        found = torch.autograd.grad(outputs, (*inputs, *self.hidden), grads, allow_unused=True)
        for x, grad in zip(self.hidden, found[len(inputs) :], strict=True):
            if grad is not None:
                raise RuntimeError(UNSEEN.format(tuple(x.shape)))
        return [torch.zeros_like(x) if g is None else g for x, g in zip(inputs, found, strict=False)]

    def guard(self) -> Guard:
        """A guard of f that looks for what is not among the tensors; until `refuse_unseen` at each evaluation."""
        # What f has of some samples is made anew for them, from its parameters, before it is evaluated.
        watched = self.complete and not hasattr(self.f, "for_samples")
        return Guard(Uses(self.tensors) if watched else None, self.look, always=True)

    def refuse_unseen(self, guard: Guard) -> None:
        """Raises RuntimeError where f used what is not among the tensors; from here on it is looked at now and then."""
        for x in () if guard.uses is None else guard.uses.found.values():
            raise RuntimeError(UNSEEN.format(tuple(x.shape)))
        guard.uses = None

    def look(self, slope: Tensor, t: Tensor, y: Tensor) -> None:
        """Raises RuntimeError where f's slope at t and y depends on what is not among the tensors.

        A leaf that is met at two evaluations is none that f makes each time.
        """
        self.calls += 1
        if not self.complete or not (self.calls == 2 or due(self.calls)):
            return
        known = self.known | {id(t), id(y)}
        for x in _leaves(slope, [*self.ends, t.grad_fn, y.grad_fn]):
            if id(x) in known:
                continue
            if id(x) in self.strangers:
                raise RuntimeError(UNSEEN.format(tuple(x.shape)))
            self.strangers[id(x)] = x


class StandIns(TorchFunctionMode):
    """Hands the operations of f copies in place of the tensors `of`, by identity."""

    def __init__(self, of: dict[int, Tensor]) -> None:
        super().__init__()
        self.of = of

    def within(self, f: VectorField) -> VectorField:
        """f on the copies."""

        def on_copies(t: Tensor, y: Tensor) -> Tensor:
            with self:
                slope = f(t, y)
            return self.of.get(id(slope), slope)

        select = getattr(f, "for_samples", None)
        if select is not None:
            on_copies.for_samples = lambda samples: self.within(select(samples))  # type: ignore[attr-defined]  # a function takes attributes
        return on_copies

    def _swapped(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self.of.get(id(value), value)
        if type(value) in (tuple, list):
            return type(value)(map(self._swapped, value))
        return value

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = {name: self._swapped(value) for name, value in (kwargs or {}).items()}
        return func(*map(self._swapped, args), **named)


def _apart(hidden: tuple[Tensor, ...], given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Those that are not given, and that nothing given was computed from."""
    known = {id(x) for x in given}
    hidden = tuple(x for x in hidden if id(x) not in known)
    made = [x.grad_fn for x in given if x.grad_fn is not None]
    if not hidden or not made:
        return hidden
    history = list(_walk(made))
    known = {id(node) for node in history} | {id(getattr(node, "variable", None)) for node in history}
    return tuple(x for x in hidden if id(x) not in known and id(x.grad_fn) not in known)


def _entangled(given: tuple[Tensor, ...]) -> bool:
    """Whether one of the tensors was computed from another."""
    made = [x for x in given if x.grad_fn is not None]
    if not made:
        return False
    known, nodes = {id(x) for x in given}, {id(x.grad_fn) for x in made}
    starts = [node for x in made for node, _ in x.grad_fn.next_functions]  # type: ignore[union-attr]  # each was made by an operation
    return any(id(node) in nodes or id(getattr(node, "variable", None)) in known for node in _walk(starts))


def _leaves(x: Tensor, ends: list[Any]) -> Iterator[Tensor]:
    """The leaves that x was computed from, other than by way of the nodes `ends`."""
    for node in _walk([x.grad_fn], ends):
        leaf = getattr(node, "variable", None)
        if isinstance(leaf, Tensor):
            yield leaf


def _walk(starts: list[Any], ends: Any = ()) -> Iterator[Any]:
    """Each node of a graph once, none behind `ends`."""
    waiting, seen = list(starts), {id(node) for node in ends}
    kept = []  # alive, so that no other node takes the identity
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        kept.append(node)
        yield node
        waiting.extend(following for following, _ in node.next_functions)
