"""Flow matching: the field is fitted to the velocity of straight ways from data to base, without a solver or a trace.

Source: Lipman et al. 2023, Flow Matching for Generative Modeling, eq. 9 with straight paths; Tong et al. 2024, Improving
and Generalizing Flow-Based Generative Models with Minibatch Optimal Transport, eq. 12, for the coupling.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

Coupling = Callable[[Tensor, Tensor], Tensor]


def independent(x: Tensor, z: Tensor) -> Tensor:
    """Base points as they were drawn."""
    return z


def optimal(x: Tensor, z: Tensor) -> Tensor:
    """Base points z (n, d) in the order that makes the squared ways from x (n, d) shortest in sum, by the library POT."""
    import ot

    plan = ot.emd(ot.unif(len(x)), ot.unif(len(z)), ot.dist(x.numpy(), z.numpy()))
    return z[torch.from_numpy(plan.argmax(1))]


COUPLINGS: dict[str, Coupling] = {"independent": independent, "optimal": optimal}


def velocity_error(field: nn.Module, x: Tensor, coupling: str) -> Tensor:
    """Squared error of the field's velocity at a random time of the way from each data point to its base point, (n,).

    The way runs from x at t = 0 to z at t = 1, as the flow does, so that its velocity is z - x.
    """
    z = COUPLINGS[coupling](x, torch.randn_like(x))
    t = torch.rand(len(x), 1).to(x)
    return (field(t, x + t * (z - x)) - (z - x)).square().sum(1)
