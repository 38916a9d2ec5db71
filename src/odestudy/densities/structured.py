"""Trace and log-determinant of a perceptron's flow without its Jacobian.

With M = W_1 W_L, formed once a solve, the trace of two hidden layers is tr(M D_2 W_2 D_1), a bilinear form in the slopes
D_1 and D_2. Every stage of an explicit Runge-Kutta step ends in the same W_L, so the Jacobian of the whole step is
I + W_L G and, by the matrix determinant lemma, det(I_d + W_L G) = det(I_w + G W_L). Of G W_L there is a recursion over
the stages in which d does not occur. A last layer that depends on time would make it of size stages times w.

Source: Harville, Matrix Algebra From a Statistician's Perspective, theorem 18.1.1 (Sylvester's determinant identity).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear

from odestudy.densities.fields import RightHandSide
from odestudy.densities.layers import Layers, layers_of, pushed
from odestudy.densities.operations import determinant_route, trace_route
from odestudy.ode._explicit_rk import ExplicitRK
from odestudy.ode._span import Span
from odestudy.ode._stepper import Stepper
from odestudy.ode._tableau import Terms


class StructuredTrace:
    """The trace of df/dz, integrated by the same Runge-Kutta step as the state, from weights and slopes alone."""

    def start(self, x: Tensor) -> None:
        self.layers: Layers | None = None

    def step(self, f: RightHandSide, stepper: Stepper, span: Span, y: Tensor) -> tuple[Tensor, Tensor]:
        method = _explicit(stepper)
        if self.layers is None:
            self.layers = layers_of(f)
            self.formed = _formed_for_trace(self.layers)
        end, slopes = opened_step(self.layers, method, span, y)
        traces = [_trace(self.layers, self.formed, slopes[i]) * b for i, b in method.weights]
        return end, (torch.stack(traces).sum(0) * span.dt).expand(len(y))


def _formed_for_trace(layers: Layers) -> Tensor:
    """What the trace needs of the weights, once: by depth a number, (w,), (w_1, w_2), or M (w_1, w_last) itself."""
    first, last = layers.weights[0], layers.weights[-1]
    if len(layers.weights) == 1:
        return first.trace()
    if len(layers.weights) == 2:
        return (first * last.T).sum(1)
    m = first @ last
    return m * layers.weights[1].T if len(layers.weights) == 3 else m


def _trace(layers: Layers, formed: Tensor, slopes: list[Tensor]) -> Tensor:
    """The trace at one stage, (n,)."""
    if not slopes:
        return formed
    if len(slopes) == 1:
        return slopes[0] @ formed
    if len(slopes) == 2:
        return (slopes[0] @ formed * slopes[1]).sum(1)
    first, *between = layers.weights[:-1]
    if trace_route(layers.sizes) == "d":
        tangents = pushed(first.T * slopes[0][:, None], tuple(between), slopes[1:])
        return (tangents * layers.weights[-1]).sum((1, 2))
    start = between[0].T * slopes[0][:, :, None] * slopes[1][:, None]
    return (pushed(start, tuple(between[1:]), slopes[2:]) * formed).sum((1, 2))


class StructuredLogDeterminant:
    """log |det| of the Jacobian of the step's map, from a matrix of size d or of the last hidden layer's width.

    The size is the one that takes fewer operations (`operations.determinant_route`), unless `route` says d or w.
    """

    def __init__(self, route: str = "") -> None:
        self.given = route

    def start(self, x: Tensor) -> None:
        self.layers: Layers | None = None

    def step(self, f: RightHandSide, stepper: Stepper, span: Span, y: Tensor) -> tuple[Tensor, Tensor]:
        method = _explicit(stepper)
        if self.layers is None:
            self.layers = layers_of(f)
            self.route = self.given or determinant_route(self.layers.sizes, len(method.nodes))
            self.chain, self.exit = _chain(self.layers, self.route)
        end, slopes = opened_step(self.layers, method, span, y)
        found: list[Tensor] = []
        for row, stage in zip(((), *method.rows), slopes, strict=True):
            found.append(self._stage(row, found, stage, span.dt))
        jacobian = _one_plus(method.weights, found, span.dt)
        return end, torch.linalg.slogdet(jacobian).logabsdet.expand(len(y))

    def _stage(self, row: Terms, found: list[Tensor], slopes: list[Tensor], dt: float | Tensor) -> Tensor:
        """The transposed Jacobian of one stage, by route that of k_i in y or G_i W_L, (n, k, k)."""
        first, *others = self.chain
        entered = linear(_one_plus(row, found, dt), first) if row else first.T[None]
        if not slopes:
            return entered
        carried = pushed(entered * slopes[0][:, None], tuple(others), slopes[1:])
        return carried if self.exit is None else linear(carried, self.exit)


def _chain(layers: Layers, route: str) -> tuple[tuple[Tensor, ...], Tensor | None]:
    """The weights through which tangents go, each but the exit's followed by slopes, and the exit."""
    if len(layers.weights) == 1:
        return layers.weights, None
    if route == "d":
        return layers.weights[:-1], layers.weights[-1]
    return (layers.weights[0] @ layers.weights[-1], *layers.weights[1:-1]), None


def _one_plus(row: Terms, found: list[Tensor], dt: float | Tensor) -> Tensor:
    """I + dt sum_j a_j K_j, (n, k, k)."""
    eye = torch.eye(found[0].shape[-1], dtype=found[0].dtype, device=found[0].device)
    total = eye.expand_as(found[0])
    for j, a in row:
        total = total + found[j] * (dt * a)
    return total


def opened_step(
    layers: Layers, stepper: ExplicitRK, span: Span, y: Tensor
) -> tuple[Tensor, list[list[Tensor]]]:
    """The end of one step (n, d), and of each stage the slopes of each hidden layer (n, w_i)."""
    slopes: list[list[Tensor]] = []

    def opened(t: Tensor, z: Tensor) -> Tensor:
        value, found = layers(t, z)
        slopes.append(found)
        return value

    return stepper.step(opened, span, y, None).y1, slopes


def _explicit(stepper: Stepper) -> ExplicitRK:
    if not isinstance(stepper, ExplicitRK):
        raise ValueError(
            f"method {stepper.name!r} is no explicit Runge-Kutta method, which this formula needs"
        )
    return stepper
