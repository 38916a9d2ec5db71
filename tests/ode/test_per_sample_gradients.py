"""Gradients of a batch whose samples have their own steps are those of each sample alone."""

import math
from typing import Any

import pytest
import torch
from helpers import F64, Mlp, saved_bytes
from samples import RATES, Decay
from torch import Tensor, nn
from torch.autograd import gradcheck

from odestudy.ode import TABLEAUS, solve, solve_batch

PAIRS = [name for name, tableau in TABLEAUS.items() if tableau.adaptive]


class Rooted(nn.Module):
    """y' = p sqrt(y): not a number below zero, where a long step leads."""

    def __init__(self) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor(-1.0, dtype=F64))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return self.p * torch.sqrt(y)


def test_attempts_that_overflowed_leave_no_trace_in_the_gradient() -> None:
    f, dt0 = Rooted(), torch.tensor([0.1, 1.9], dtype=F64)
    y0 = torch.tensor([[4.0], [1.0]], dtype=F64)
    overflowed = False

    def watched(t: Tensor, y: Tensor) -> Tensor:
        nonlocal overflowed
        slope = f(t, y)
        overflowed |= bool(slope[-1].isnan())
        return slope

    solution = solve_batch(watched, y0, [0.0, 1.9], dt0=dt0)
    assert overflowed
    assert solution.status == "ok"
    solution.ys[-1].sum().backward()
    root = torch.sqrt(y0) - 0.95  # y = (sqrt(y0) + p t / 2)^2
    assert float(f.p.grad) == pytest.approx(1.9 * float(root.sum()), rel=1e-5)


@pytest.mark.parametrize("method", ["dopri5", "bosh3", "adaptive_heun", "dopri8"])
def test_backprop_passes_gradcheck_in_state_parameters_and_each_samples_times(method: str) -> None:
    f = Mlp(hidden=3)

    def g(t: Tensor, y: Tensor) -> Tensor:
        return f(t[:, None], y)

    y0 = torch.tensor([[0.3, -0.5], [2.0, 1.0]], dtype=F64, requires_grad=True)
    t = torch.tensor([[0.0, 0.4, 1.0], [0.2, 0.9, math.nan]], dtype=F64, requires_grad=True)
    tol = 1e-6 if method == "adaptive_heun" else 1e-9  # its order needs too many steps

    def states(y0: Tensor, t: Tensor, *params: Tensor) -> Tensor:
        return solve_batch(g, y0, t, method=method, rtol=tol, atol=tol).ys.nan_to_num()

    assert gradcheck(states, (y0, t, *f.parameters()), fast_mode=True, atol=1e-4, rtol=1e-3)


def test_the_gradient_of_a_sample_is_that_of_its_own_solve() -> None:
    f, y0 = Decay(RATES), torch.ones(4, 2, dtype=F64, requires_grad=True)
    t = torch.linspace(0, 1, 5, dtype=F64)
    ours = torch.autograd.grad(solve_batch(f, y0, t).ys.sin().sum(), [y0, f.rates])
    for i in range(4):
        one, start = Decay(RATES[i : i + 1]), torch.ones(1, 2, dtype=F64, requires_grad=True)
        single = torch.autograd.grad(solve(one, start, t).ys.sin().sum(), [start, one.rates])
        for a, b in zip(ours, single, strict=True):
            torch.testing.assert_close(a[i : i + 1], b, rtol=1e-10, atol=1e-13)


def gradients(method: str, gradient: str, t: Tensor, **arguments: Any) -> list[Tensor]:
    """Of a loss on all observations, with respect to y0, rates and t."""
    f = Decay(RATES)
    t, y0 = t.clone().requires_grad_(), torch.linspace(1, 2, 8, dtype=F64).reshape(4, 2).requires_grad_()
    solution = solve_batch(f, y0, t, method=method, gradient=gradient, **arguments)
    if solution.event_t is not None:
        return list(torch.autograd.grad(solution.event_t.sum() + solution.ys.sum(), [y0, f.rates, t]))
    weights = torch.arange(1, t.shape[-1] + 1, dtype=F64)[:, None, None]
    loss = (solution.ys.sin() * weights).nan_to_num().sum()
    found = list(torch.autograd.grad(loss, [y0, f.rates, t]))
    assert solution.stats.status_backward == ("ok" if gradient == "checkpointed" else None)
    return found


@pytest.mark.parametrize("method", ["dopri5", "dopri8", "bosh3", "adaptive_heun"])
@pytest.mark.parametrize("tol", [1e-2, 1e-5])
def test_the_checkpointed_gradient_is_backprops_to_rounding(method: str, tol: float) -> None:
    nan = math.nan
    rows = [[0.0, 0.5, 0.7, 1.0], [0.0, 2.0, nan, nan], [0.3, 0.31, 0.5, nan], [1.0, nan, nan, nan]]
    for t in (torch.tensor(rows, dtype=F64), torch.linspace(0, 1, 5, dtype=F64)):
        ours, exact = (gradients(method, g, t, rtol=tol, atol=tol) for g in ("checkpointed", "backprop"))
        for a, b in zip(ours, exact, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-13)


def test_the_checkpointed_gradient_reaches_through_events() -> None:
    t = torch.tensor([0.2, 1.0], dtype=F64)
    event = {"event_fn": lambda t, y: y[:, 0] - 0.5 + 0.01 * t, "rtol": 1e-5}
    ours, exact = (gradients("dopri5", g, t, **event) for g in ("checkpointed", "backprop"))
    for a, b in zip(ours, exact, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("steps", [30, 120, 480])
def test_checkpointing_keeps_about_the_square_root_of_the_steps_in_states(steps: int) -> None:
    def saved(gradient: str) -> int:
        f, y0 = Mlp(), torch.ones(64, 2, dtype=F64, requires_grad=True)
        g = lambda t, y: f(t[:, None], y)
        arguments = {"rtol": 1.0, "atol": 1.0, "dtmax": 1 / steps, "params": f}
        return saved_bytes(lambda: solve_batch(g, y0, [0.0, 1.0], gradient=gradient, **arguments).ys) // (
            64 * 2 * 8
        )

    assert saved("checkpointed") < 2 * math.sqrt(2 * steps) + 4
    assert saved("backprop") > 20 * steps
