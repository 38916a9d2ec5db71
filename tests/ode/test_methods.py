"""Every registered method: order, dense output, determinism, direction, precision."""

import math
from collections.abc import Callable

import pytest
import torch
from helpers import F64, Mlp, forced, pulled, rotated, rotation
from torch import Tensor

from odestudy.ode import TABLEAUS, solve

ADAPTIVE = [name for name, tab in TABLEAUS.items() if tab.adaptive]


def orders(order: int, error: Callable[[Tensor], float]) -> float:
    """The observed order: from a grid on [0, 2] and the same halved, both well above rounding."""
    steps = {1: 64, 2: 64, 3: 64, 4: 24, 5: 24}.get(order, 6)
    coarse, fine = (error(torch.linspace(0, 2, n + 1, dtype=F64)) for n in (steps, 2 * steps))
    return math.log2(coarse / fine)


@pytest.mark.parametrize("method", TABLEAUS)
def test_order_on_an_autonomous_problem(method: str) -> None:
    def error(grid: Tensor) -> float:
        y0 = torch.tensor([1.0, 0.0], dtype=F64)
        return float(
            (solve(rotation, y0, grid[[0, -1]], method=method, grid=grid).ys[-1] - rotated(2.0)).norm()
        )

    order = TABLEAUS[method].order
    assert orders(order, error) == pytest.approx(order, abs=0.2)


@pytest.mark.parametrize("method", TABLEAUS)
def test_order_on_a_non_autonomous_problem(method: str) -> None:
    def error(grid: Tensor) -> float:
        y = solve(pulled, torch.ones((), dtype=F64), grid[[0, -1]], method=method, grid=grid).ys[-1]
        return abs(float(y) - math.cos(4.0))

    order = TABLEAUS[method].order
    assert orders(order, error) == pytest.approx(order, abs=0.2)


@pytest.mark.parametrize("method", TABLEAUS)
def test_dense_output_is_as_accurate_as_the_method(method: str) -> None:
    t = torch.linspace(0, 2, 41, dtype=F64)

    def error(grid: Tensor) -> float:
        ys = solve(pulled, torch.ones((), dtype=F64), t, method=method, grid=grid).ys
        return float((ys - torch.cos(2 * t)).abs().max())

    order = TABLEAUS[method].order
    assert orders(order, error) >= order - 0.3


@pytest.mark.parametrize("method", ADAPTIVE)
def test_a_tighter_tolerance_gives_a_smaller_error_everywhere(method: str) -> None:
    t = torch.linspace(0, 6, 61, dtype=F64)
    exact = torch.exp(torch.sin(t))
    errors = []
    for tol in (1e-4, 1e-6):
        ys = solve(forced, torch.ones((), dtype=F64), t, method=method, rtol=tol, atol=tol).ys
        errors.append(float((ys - exact).abs().max()))
    assert errors[0] < 200 * 1e-4  # fehlberg2 underestimates its error most
    assert errors[1] < 0.1 * errors[0]


@pytest.mark.parametrize("method", TABLEAUS)
def test_the_same_solve_gives_the_same_bits(method: str) -> None:
    f, y0, t = Mlp(), torch.ones(3, 2, dtype=F64), torch.linspace(0, 1, 5, dtype=F64)
    first, second = (solve(f, y0, t, method=method, rtol=1e-5, atol=1e-5) for _ in range(2))
    assert torch.equal(first.ys, second.ys)
    assert first.stats == second.stats


@pytest.mark.parametrize("method", TABLEAUS)
def test_a_solve_runs_backwards_in_time_to_where_it_came_from(method: str) -> None:
    y0, t = torch.tensor([1.0, 0.5], dtype=F64), torch.linspace(0, 1, 201, dtype=F64)
    there = solve(rotation, y0, t, method=method, rtol=1e-8, atol=1e-8).ys[-1]
    back = solve(rotation, there, t.flip(0), method=method, rtol=1e-8, atol=1e-8).ys[-1]
    assert torch.allclose(back, y0, atol=1e-2 if method == "euler" else 1e-4)


@pytest.mark.parametrize("method", TABLEAUS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_state_keeps_its_precision_and_shape(method: str, dtype: torch.dtype) -> None:
    y0 = torch.ones(2, 3, 2, dtype=dtype)
    ys = solve(rotation, y0, [0.0, 0.3, 0.5], method=method, rtol=1e-4, atol=1e-4).ys
    assert ys.dtype == dtype
    assert ys.shape == (3, 2, 3, 2)


def test_dopri8_interpolates_as_accurately_as_it_steps() -> None:
    def f(t, y):
        return torch.stack([y[1], -y[0] - 0.2 * y[1] + torch.cos(1.7 * t)])

    t, y0 = torch.linspace(0, 30, 301, dtype=F64), torch.tensor([1.0, 0.0], dtype=F64)
    exact = solve(f, y0, t, method="dopri8", rtol=1e-13, atol=1e-13).ys
    error = (solve(f, y0, t, method="dopri8", rtol=1e-7, atol=1e-7).ys - exact).abs().max()
    assert float(error) < 1e-6
