"""Methods of one's own, in one file: a tableau of either kind, or a class that steps."""

import math
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from helpers import F64, Mlp, rotated, rotation
from torch import Tensor

from odestudy.ode import DirkTableau, Span, Stepper, StepResult, solve

SDIRK2 = DirkTableau(
    name="sdirk2",
    order=2,
    a=((1 - math.sqrt(0.5),), (math.sqrt(0.5), 1 - math.sqrt(0.5))),
    b=(math.sqrt(0.5), 1 - math.sqrt(0.5)),
    source="Alexander 1977",
)


@dataclass(frozen=True)
class Heun:
    """Heun's method with Euler's as error estimate."""

    name = "my_heun"
    order = 2
    error_power = 2
    one_step = True
    nodes = (0.0, 1.0)
    weights = None

    def step(self, f: Any, span: Span, y: Tensor, solver_state: Tensor | None) -> StepResult:
        start, end = span.stages(self.nodes)
        k1 = f(start, y) if solver_state is None else solver_state
        k2 = f(end, y + k1 * span.dt)
        return StepResult(y + (k1 + k2) * (0.5 * span.dt), [k1, k2], None, k1)

    def errors(self, dt: float, result: StepResult) -> tuple[Tensor, ...]:
        k1, k2 = result.ks
        return ((k2 - k1) * (0.5 * dt),)

    def stiffness(self, result: StepResult) -> None:
        return None

    def interpolate(self, f: Any, span: Span, y: Tensor, result: StepResult, theta: Tensor) -> Tensor:
        k1, k2 = result.ks
        theta = theta.to(y.dtype).reshape(-1, *[1] * y.ndim)
        return y + span.dt * (theta * k1 + theta**2 / 2 * (k2 - k1))


def test_a_stepper_of_ones_own_adapts_its_steps() -> None:
    assert isinstance(Heun(), Stepper)
    y0 = torch.tensor([1.0, 0.0], dtype=F64)
    found = solve(rotation, y0, [0.0, 0.4, 1.0], method=Heun(), rtol=1e-6, atol=1e-6)
    assert (found.ys[1] - rotated(0.4)).abs().max() < 1e-4
    assert (found.ys[2] - rotated(1.0)).abs().max() < 1e-4
    assert found.stats.accepted > 100


@pytest.mark.parametrize("method", [Heun(), SDIRK2])
def test_a_method_of_ones_own_has_every_gradient_of_one_step_methods(method: Any) -> None:
    y0, grads = torch.tensor([0.5, -0.5], dtype=F64, requires_grad=True), []
    for gradient in ("backprop", "checkpointed", "adjoint", "forward"):
        f = Mlp()
        ys = solve(f, y0, [0.0, 1.0], method=method, gradient=gradient, grid=[i / 64 for i in range(64)]).ys
        grads.append(torch.autograd.grad(ys[-1].sum(), (y0, f.w1)))
    for other, tol in zip(grads[1:], (1e-8, 1e-3, 1e-8), strict=True):
        for ours, exact in zip(other, grads[0], strict=True):
            assert (ours - exact).abs().max() < tol


def test_a_tableau_of_ones_own_has_its_order() -> None:
    y0 = torch.tensor([1.0, 0.0], dtype=F64)
    errors = [
        float((solve(rotation, y0, [0.0, 1.0], method=SDIRK2, dt0=h).ys[-1] - rotated(1.0)).abs().max())
        for h in (0.02, 0.01)
    ]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.1)


def test_a_stepper_takes_no_options() -> None:
    with pytest.raises(ValueError, match="unknown option"):
        solve(rotation, torch.ones(2), [0.0, 1.0], method=Heun(), options={"jacobian": "full"})


def test_a_class_is_no_method() -> None:
    with pytest.raises(ValueError, match=r"got the class Heun: make one, Heun\(\)"):
        solve(rotation, torch.ones(2), [0.0, 1.0], method=Heun)  # type: ignore[call-overload]  # what is refused
