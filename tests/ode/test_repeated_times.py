"""Times that come again, as padding does, where each sample has its own."""

import math

import pytest
import torch
from helpers import F64

from odestudy.ode import solve_batch

TIMES = [[0.0, 0.5, 0.5, 1.0], [0.0, 0.0, 1.0, 1.0], [0.3, 0.3, 0.3, 0.3], [1.0, 1.0, 0.5, 0.0]]


@pytest.mark.parametrize("gradient", ["backprop", "checkpointed"])
@pytest.mark.parametrize("method", ["dopri5", "dopri8"])
def test_a_time_that_comes_again_has_its_state_again(gradient: str, method: str) -> None:
    y0 = torch.ones(4, 1, dtype=F64, requires_grad=True)
    t = torch.tensor(TIMES, dtype=F64)
    ys = solve_batch(lambda t, y: -y, y0, t, method=method, gradient=gradient, params=()).ys
    wanted = torch.exp(-(t - t[:, :1])).T
    assert (ys[..., 0] - wanted).abs().max() < 1e-6
    (grad,) = torch.autograd.grad(ys.sum(), y0)
    assert (grad[:, 0] - wanted.sum(0)).abs().max() < 1e-5


@pytest.mark.parametrize("gradient", ["backprop", "checkpointed"])
def test_a_time_that_comes_again_has_its_own_gradient(gradient: str) -> None:
    t = torch.tensor([[0.0, 0.0, 1.0, 1.0]], dtype=F64, requires_grad=True)
    y0 = torch.ones(1, 1, dtype=F64)
    ys = solve_batch(lambda t, y: -y, y0, t, gradient=gradient, params=()).ys
    (grad,) = torch.autograd.grad(ys[1].sum() + 2 * ys[3].sum(), t)
    e = math.exp(-1)
    assert grad[0].tolist() == pytest.approx([1 + 2 * e, -1.0, 0.0, -2 * e], abs=1e-5)


def test_times_of_all_samples_may_come_again() -> None:
    ys = solve_batch(lambda t, y: -y, torch.ones(2, 1, dtype=F64), [0.0, 0.0, 1.0, 1.0]).ys
    assert ys[:, 0, 0].tolist() == pytest.approx([1.0, 1.0, math.exp(-1), math.exp(-1)], abs=1e-6)


def test_a_gradient_in_times_needs_a_sample_that_moves() -> None:
    t = torch.tensor([[0.3, 0.3]], requires_grad=True)
    with pytest.raises(ValueError, match="all times of a sample are its first: drop the repeated ones"):
        solve_batch(lambda t, y: -y, torch.ones(1, 1), t)
