"""The ways to the gradient of a solve, by name."""

from collections.abc import Callable

from torch import Tensor

from odestudy.ode._run import Run
from odestudy.ode.gradients.adjoint import adjoint
from odestudy.ode.gradients.backprop import backprop
from odestudy.ode.gradients.checkpointed import checkpointed
from odestudy.ode.gradients.forward import forward
from odestudy.ode.gradients.quadrature import quadrature
from odestudy.ode.gradients.reversible import reversible

Gradient = Callable[[Run], Tensor]

GRADIENTS: dict[str, Gradient] = {
    "backprop": backprop,
    "adjoint": adjoint,
    "quadrature": quadrature,
    "checkpointed": checkpointed,
    "forward": forward,
    "reversible": reversible,
}
