"""The ways to the gradient of a solve, by name."""

from collections.abc import Callable

from torch import Tensor

from odestudy.ode._run import Run
from odestudy.ode.gradients.adjoint import adjoint
from odestudy.ode.gradients.backprop import backprop

Gradient = Callable[[Run], Tensor]

GRADIENTS: dict[str, Gradient] = {
    "backprop": backprop,
    "adjoint": adjoint,
}
