"""f is asked within the span only, where it may not be defined beyond."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from helpers import F64
from torch import Tensor, nn

from odestudy.ode import IMPLICIT_TABLEAUS, METHODS, odeint_adjoint, solve, solve_batch
from odestudy.ode._methods import make_stepper

OURS = [method for method in METHODS if method != "scipy_solver"]
CASES = [(m, True) for m in OURS] + [(m, False) for m in OURS if make_stepper(m).error_power > 0]
SPANS = [(0.0, 1.0), (0.3, 1.7), (2.1, 0.7), (-0.1, 0.2)]


class Within(nn.Module):
    """y' = -r t y, r = 1, on a span only: y = y0 exp(-(t^2 - t0^2) / 2)."""

    def __init__(self, t0: float, t1: float) -> None:
        super().__init__()
        self.low, self.high = min(t0, t1), max(t0, t1)
        self.rate = nn.Parameter(torch.ones((), dtype=F64))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        if not self.low <= float(t.detach()) <= self.high:
            raise RuntimeError(f"f was asked at t = {float(t.detach())}")
        return -self.rate * t * y


def exact(t0: float, t1: float) -> float:
    return math.exp(-(t1**2 - t0**2) / 2)


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize(("method", "fixed"), CASES)
def test_f_is_not_asked_beyond_the_span(method: str, fixed: bool, span: tuple[float, float]) -> None:
    t0, t1 = span
    grid = torch.arange(t0, t1, math.copysign(0.0173, t1 - t0)).tolist() if fixed else None
    times = [t0, 0.4 * t0 + 0.6 * t1, t1]
    with torch.no_grad():
        y = solve(Within(t0, t1), torch.ones(1, dtype=F64), times, method=method, grid=grid).ys[-1]
    assert float(y) == pytest.approx(exact(t0, t1), rel=0.05 if "euler" in method else 2e-3)


@pytest.mark.parametrize("gradient", ["backprop", "checkpointed", "adjoint", "forward"])
@pytest.mark.parametrize("method", ["dopri5", "kvaerno5", "auto"])
def test_nor_in_backward(method: str, gradient: str) -> None:
    for t0, t1 in SPANS[1:3]:
        f, t = Within(t0, t1), torch.tensor([t0, 0.5 * (t0 + t1), t1], dtype=F64, requires_grad=True)
        y = solve(f, torch.ones(1, dtype=F64), t, method=method, gradient=gradient).ys[-1]
        grads = torch.autograd.grad(y.sum(), (f.rate, t))
        assert float(grads[0]) == pytest.approx(-(t1**2 - t0**2) / 2 * exact(t0, t1), rel=1e-4)
        assert float(grads[1][-1]) == pytest.approx(-t1 * exact(t0, t1), rel=1e-4)


@pytest.mark.parametrize("gradient", ["backprop", "checkpointed"])
def test_nor_for_any_sample(gradient: str) -> None:
    ends = torch.linspace(0.31, 1.7, 40, dtype=F64)
    t = torch.stack([torch.full_like(ends, 0.3), ends], 1)

    def f(t: Tensor, y: Tensor) -> Tensor:
        assert bool(((t >= 0.3) & (t <= y[:, 1])).all())
        return torch.stack([-t * y[:, 0], torch.zeros_like(t)], 1)

    y0 = torch.stack([torch.ones_like(ends), ends], 1).requires_grad_()
    y = solve_batch(f, y0, t, gradient=gradient, params=()).ys[-1, :, 0]
    y.sum().backward()
    right = torch.exp((0.09 - ends**2) / 2)
    torch.testing.assert_close(y, right, rtol=1e-5, atol=1e-8)
    torch.testing.assert_close(y0.grad[:, 0], right, rtol=1e-5, atol=1e-8)


def test_nor_by_the_drop_ins_adjoint() -> None:
    f, t = Within(0.3, 1.7), torch.tensor([0.3, 1.7], dtype=F64)
    odeint_adjoint(f, torch.ones(1, dtype=F64), t, method="kvaerno5")[-1].sum().backward()
    assert float(f.rate.grad) == pytest.approx(-1.4 * exact(0.3, 1.7), rel=1e-5)


@pytest.mark.parametrize("method", ["dopri5", "kvaerno5", "rodas5p"])
def test_a_jump_is_seen_from_its_own_side_by_every_stage(method: str) -> None:
    def f(t: Tensor, y: Tensor) -> Tensor:
        return torch.where(t < 0.5, -y, 2 * y)

    y = solve(f, torch.ones(1, dtype=F64), [0.0, 1.0], method=method, jump_t=[0.5], rtol=1e-9, atol=1e-11)
    assert float(y.ys[-1]) == pytest.approx(math.exp(0.5), rel=1e-7)


def test_kvaerno5s_last_step_is_of_its_order() -> None:
    errors = []
    for n in (8, 16):
        f, grid = Within(0.0, 1.0), [i / n for i in range(n + 1)]
        y = solve(
            f, torch.ones(1, dtype=F64), [0.0, 1.0], method="kvaerno5", grid=grid, rtol=1e-12, atol=1e-14
        )
        errors.append(abs(float(y.ys[-1].detach()) - exact(0.0, 1.0)))
    assert math.log2(errors[0] / errors[1]) > 4.5


def test_a_tableau_without_a_closing_one_says_what_it_needs() -> None:
    plain: Any = replace(IMPLICIT_TABLEAUS["kvaerno5"], name="plain", closing=None)
    with pytest.raises(RuntimeError, match="f was asked at") as caught:
        solve(Within(0.0, 1.0), torch.ones(1, dtype=F64), [0.0, 1.0], method=plain)
    assert "stages of 'plain' reach 1.23 steps far" in caught.value.__notes__[0]
