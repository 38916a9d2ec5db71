"""The tensors that f can come to without being given them: behind its closure, its attributes, the globals it names."""

import functools
import random
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

MOST, WIDE = 2000, 200  # objects that are looked into, and elements of each container
PLAIN = (type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device, torch.Size)
GENERATORS = (torch.Generator, np.random.Generator, np.random.RandomState, random.Random)
LEAVES = (Tensor, *GENERATORS)
CONTAINERS = (list, tuple, set, frozenset, deque)
DESCRIPTORS = (property, staticmethod, classmethod, functools.cached_property)
LIBRARIES = sys.stdlib_module_names | {"torch", "numpy", "scipy"}
MODULES_OWN = frozenset(vars(nn.Module())) - {"_parameters", "_buffers", "_modules"}  # hooks and flags


def reachable(f: Any) -> tuple[Tensor, ...]:
    """The tensors that need a gradient, the nearest first; what an extension keeps is not among them."""
    tensors = (x for x in _walk(f) if isinstance(x, Tensor) and x.requires_grad and not x.is_meta)
    return tuple({id(x): x for x in tensors}.values())


def generators(f: Any) -> tuple[Any, ...]:
    """The generators of random numbers, beside those of torch, numpy and Python that all share.

    The system's own source has no state, and is none of them.
    """
    found = (x for x in _walk(f) if isinstance(x, GENERATORS) and not isinstance(x, random.SystemRandom))
    return tuple({id(x): x for x in found}.values())


def _walk(f: Any) -> Iterator[Any]:
    """What f can come to, the nearest first; of the first MOST objects, as there may be no end."""
    seen, waiting = dict[int, Any](), deque([f])
    while waiting and len(seen) < MOST:
        value = waiting.popleft()
        if isinstance(value, LEAVES):
            yield value
        elif not isinstance(value, PLAIN) and id(value) not in seen:
            seen[id(value)] = value
            waiting.extend(islice(_within(value), WIDE))


def _within(value: Any) -> Iterable[Any]:
    """What is kept in it."""
    if isinstance(value, dict):
        return iter(dict.values(value))
    if isinstance(value, CONTAINERS):
        return iter(value)
    if isinstance(value, FunctionType):
        return _of_function(value)
    if isinstance(value, MethodType):
        return iter((value.__self__, value.__func__))
    if isinstance(value, functools.partial):
        return chain((value.func,), value.args, value.keywords.values())
    if isinstance(value, ModuleType):
        return iter(())
    if isinstance(value, DESCRIPTORS):
        return (getattr(value, name, None) for name in ("fget", "__func__", "func"))
    if isinstance(value, torch.jit.ScriptModule):
        return value.parameters()
    if isinstance(value, type):
        return iter(()) if _of_library(value) else iter(vars(value).values())
    return _of_instance(value)


def _of_instance(value: Any) -> Iterator[Any]:
    own = getattr(value, "__dict__", {})
    if isinstance(value, nn.Module):
        yield from (kept for name, kept in own.items() if name not in MODULES_OWN)
    else:
        yield from own.values()
    for cls in type(value).__mro__:
        if not _of_library(cls):
            slots = vars(cls).get("__slots__", ())
            yield from (
                getattr(value, name, None) for name in ((slots,) if isinstance(slots, str) else slots)
            )
            yield cls


def _of_function(value: FunctionType) -> Iterator[Any]:
    for cell in value.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # a name that has no value yet
            continue
    yield from value.__defaults__ or ()
    yield from (value.__kwdefaults__ or {}).values()
    yield from value.__dict__.values()
    if _of_library(value):
        return
    names = _names(value.__code__)
    for name in names:
        kept = value.__globals__.get(name)
        if not isinstance(kept, ModuleType):
            yield kept
        elif kept.__name__.partition(".")[0] not in LIBRARIES:
            yield from (vars(kept).get(inner) for inner in names)


def _of_library(value: Any) -> bool:
    name = getattr(value, "__module__", None) or ""
    return name.partition(".")[0] in LIBRARIES or name.startswith("odestudy.ode.")


@functools.lru_cache(maxsize=256)
def _names(code: CodeType) -> tuple[str, ...]:
    """The globals and attributes that the code, and that of the functions in it, speaks of."""
    inner = (_names(const) for const in code.co_consts if isinstance(const, CodeType))
    return tuple(dict.fromkeys(chain(code.co_names, *inner)))
