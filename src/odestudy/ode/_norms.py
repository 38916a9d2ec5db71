"""Norms of the error, each element already divided by its tolerance."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from odestudy.ode._constants import constant

Norm = Callable[[Tensor], Tensor]


def rms(r: Tensor) -> Tensor:
    """Root mean square of all elements (Hairer, Nørsett, Wanner I, eq. II.4.11); 0 for an empty tensor."""
    return torch.linalg.vector_norm(r) * constant(max(r.numel(), 1) ** -0.5, r)


def linf(r: Tensor) -> Tensor:
    """Largest absolute value; 0 for an empty tensor."""
    if r.numel() == 0:
        return r.new_zeros(())
    return torch.linalg.vector_norm(r, ord=torch.inf)


@dataclass(frozen=True)
class MixedNorm:
    """The largest of the parts' norms, for a flat state made of named parts.

    `counted` limits it to the first parts: the seminorm of Kidger, Chen, Lyons 2021 (arXiv 2009.09457, eq. 6)
    leaves out the adjoint's parameters. `norms` gives a part a norm of its own in place of the rms.
    """

    sizes: tuple[int, ...]
    names: tuple[str, ...]
    counted: int | None = None
    norms: dict[int, Norm] = field(default_factory=dict)

    def parts(self, r: Tensor) -> Tensor:
        """Each counted part's norm, shape [parts]."""
        chunks = r.split(self.sizes)[: self.counted]
        return torch.stack([self.norms.get(i, rms)(chunk) for i, chunk in enumerate(chunks)])

    def __call__(self, r: Tensor) -> Tensor:
        return self.parts(r).max()

    def largest(self, r: Tensor) -> str:
        """Name of the part with the largest norm (a non-finite one counts as largest)."""
        return self.names[int(self.parts(r).nan_to_num(torch.inf).argmax())]


NORMS: dict[str, Norm] = {"rms": rms, "linf": linf}


def mixed(shapes: Sequence[torch.Size]) -> MixedNorm:
    """The largest rms over the tensors of a tuple state."""
    return MixedNorm(tuple(s.numel() for s in shapes), tuple(f"state[{i}]" for i in range(len(shapes))))


def check_norm(norm: object) -> None:
    """Raises ValueError unless the norm, which is no name, can be called."""
    if not callable(norm):
        raise ValueError(f"norm must be one of {', '.join(sorted(NORMS))}, or a callable, got {norm!r}")
