"""How a caller's state is laid out for the solvers: as one real tensor of float32 or float64."""

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from odestudy.ode._state import State

GIVEN = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.complex64, torch.complex128)


def unflatten(flat: Tensor, shapes: tuple[torch.Size, ...], leading: int = 0) -> tuple[Tensor, ...]:
    """Splits the last dimension of `flat` into tensors of these shapes, after `leading` common dimensions."""
    lead = flat.shape[:leading]
    chunks = flat.split([s.numel() for s in shapes], dim=-1)
    return tuple(chunk.reshape((*lead, *s)) for chunk, s in zip(chunks, shapes, strict=True))


def laid_out(part: Tensor, dtype: torch.dtype) -> Tensor:
    """A real tensor of the working precision; complex numbers become pairs in a last dimension."""
    return (torch.view_as_real(part) if part.is_complex() else part).to(dtype)


def _pairs(part: Tensor) -> Tensor:
    """Complex numbers as pairs whose gradient may lie anywhere in memory, unlike that of a view."""
    return torch.stack([part.real, part.imag], -1) if part.is_complex() else part


def as_given(part: Tensor, dtype: torch.dtype) -> Tensor:
    """The inverse of `laid_out`."""
    if not dtype.is_complex:
        return part.to(dtype)
    wrapped = torch._C._functorch.is_functorch_wrapped_tensor(
        part
    )  # whose memory may lie otherwise than it says
    if wrapped or part.storage_offset() % 2:  # no memory that a view as complex numbers could have
        return torch.complex(part[..., 0], part[..., 1]).to(dtype)
    return torch.view_as_complex(part.contiguous()).to(dtype)


def matching(slope: Any, dtype: torch.dtype) -> Any:
    """The slope in the state's type, whatever type f computed it in; ValueError for a complex one of a real state."""
    if not isinstance(slope, Tensor) or slope.dtype == dtype:
        return slope
    if slope.is_complex() and not dtype.is_complex:
        raise ValueError(
            f"f(t, y) gave {slope.dtype}, but y is {dtype}: start from y0.to({slope.dtype}), or return the real part"
        )
    return slope.to(dtype)


@dataclass(frozen=True)
class Layout:
    """The shapes of a tuple state's tensors as laid out (None for one tensor), and the solvers' precision.

    `dtypes` are the caller's types where one of them is another than `dtype`; f sees the state in these.
    """

    shapes: tuple[torch.Size, ...] | None
    dtype: torch.dtype
    dtypes: tuple[torch.dtype, ...] | None

    @property
    def plain(self) -> bool:
        """Whether the solvers see the state as its caller does."""
        return self.shapes is None and self.dtypes is None

    def restore(self, ys: Tensor, leading: int) -> State:
        """States as the caller gave them, from flat ones in `leading` common dimensions."""
        if self.dtypes is None:
            return ys if self.shapes is None else unflatten(ys, self.shapes, leading)
        if self.shapes is None:
            return as_given(ys, self.dtypes[0])
        parts = unflatten(ys, self.shapes, leading)
        return tuple(as_given(part, dtype) for part, dtype in zip(parts, self.dtypes, strict=True))

    def flatten(self, state: Any, leading: int = 0) -> Tensor:
        """States as the solvers see them."""
        if self.shapes is None:
            return state if self.dtypes is None else laid_out(state, self.dtype)
        parts = [laid_out(_pairs(part), self.dtype) for part in state]
        sizes = [shape.numel() for shape in self.shapes]
        flat = [part.reshape(*part.shape[:leading], n) for part, n in zip(parts, sizes, strict=True)]
        return torch.cat(flat, -1)

    def flat_slopes(self, slopes: Any, state: State) -> Tensor:
        """f's answer to this state; ValueError where a part is not shaped like the state's."""
        parts = (state,) if isinstance(state, Tensor) else state
        slopes = (slopes,) if self.shapes is None else slopes
        wanted = [tuple(part.shape) for part in parts]
        if not isinstance(slopes, tuple | list) or not all(isinstance(s, Tensor) for s in slopes):
            raise ValueError(
                f"f(t, y) gave {type(slopes).__name__}; it must match y: tensors of shapes {wanted}"
            )
        got = [tuple(slope.shape) for slope in slopes]
        if got != wanted:
            raise ValueError(f"f(t, y) gave {_listed(got)}; it must match y: {_listed(wanted)}")
        typed = [matching(slope, part.dtype) for slope, part in zip(slopes, parts, strict=True)]
        return self.flatten(tuple(typed) if self.shapes is not None else typed[0])

    def on_flat(self, f: Callable[[Tensor, Any], Any]) -> Callable[[Tensor, Tensor], Tensor]:
        """f(t, y) on the state as it is laid out."""
        if self.plain:
            return lambda t, y: matching(f(t, y), y.dtype)

        def flat_f(t: Tensor, y: Tensor) -> Tensor:
            state = self.restore(y, 0)
            return self.flat_slopes(f(t, state), state)

        return flat_f


def make_layout(parts: Sequence[Tensor], is_tuple: bool) -> Layout:
    """The layout of a state of these tensors; half precision is advanced in float32."""
    wide = any(part.dtype in (torch.float64, torch.complex128) for part in parts)
    dtype = torch.float64 if wide else torch.float32
    dtypes = None if all(p.dtype == dtype for p in parts) else tuple(p.dtype for p in parts)
    shapes = tuple(torch.view_as_real(p).shape if p.is_complex() else p.shape for p in parts)
    return Layout(shapes if is_tuple else None, dtype, dtypes)


def _listed(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(map(str, shapes))


def autocast_dtype(device: torch.device) -> torch.dtype | None:
    """The type that the caller's autocast computes in; None where there is none."""
    return torch.get_autocast_dtype(device.type) if torch.is_autocast_enabled(device.type) else None


def with_autocast(
    f: Callable[..., Any], device: torch.device, dtype: torch.dtype | None
) -> Callable[..., Any]:
    """f under an autocast, wherever and whenever it is evaluated; f itself where there is none."""
    if dtype is None:
        return f
    kind = device.type

    def cast_f(t: Tensor, y: Any) -> Any:
        # Casts made without a graph must not be found again by code that wants one.
        with torch.autocast(kind, dtype=dtype, cache_enabled=torch.is_grad_enabled()):
            return f(t, y)

    return cast_f


def without_autocast(device: torch.device) -> AbstractContextManager[Any]:
    """The solver's own arithmetic is that of the state, whatever f's is."""
    if not torch.is_autocast_enabled(device.type):
        return contextlib.nullcontext()
    return torch.autocast(device.type, enabled=False)
