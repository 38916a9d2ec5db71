"""Events that end each sample of a batch at its own time."""

import math

import pytest
import torch
from helpers import F64
from torch import Tensor, nn
from torch.autograd import gradcheck

from odestudy.ode import odeint_event, solve_batch

HEIGHTS = torch.tensor([10.0, 2.0, 40.0], dtype=F64)


class Fall(nn.Module):
    """Height and speed of balls under gravity."""

    def __init__(self) -> None:
        super().__init__()
        self.gravity = nn.Parameter(torch.tensor(9.8, dtype=F64))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return torch.stack([y[..., 1], -self.gravity * torch.ones_like(y[..., 0])], -1)


def start() -> Tensor:
    return torch.stack([HEIGHTS, torch.zeros(3, dtype=F64)], 1).requires_grad_()


def ground(t: Tensor, y: Tensor) -> Tensor:
    return y[..., 0]


@pytest.mark.parametrize("method", ["dopri5", "dopri8", "adaptive_heun"])
def test_each_ball_meets_the_ground_at_its_own_time(method: str) -> None:
    t = torch.tensor([[0.0, 1.0], [0.5, 1.0], [-1.0, 0.0]], dtype=F64)
    tol = 1e-6 if method == "adaptive_heun" else 1e-10
    solution = solve_batch(Fall(), start(), t, method=method, event_fn=ground, rtol=tol, atol=tol)
    seconds = torch.sqrt(2 * HEIGHTS / 9.8)
    assert solution.status == "ok"
    torch.testing.assert_close(solution.event_t, t[:, 0] + seconds, rtol=1e-9, atol=0.0)
    torch.testing.assert_close(solution.ys[-1, :, 1], -9.8 * seconds, rtol=1e-9, atol=0.0)
    torch.testing.assert_close(solution.ts, torch.stack([t[:, 0], solution.event_t.detach()], 1))


def test_event_times_and_states_have_the_closed_forms_gradients() -> None:
    f, y0 = Fall(), start()
    t = torch.tensor([[0.3, 1.0]] * 3, dtype=F64, requires_grad=True)
    solution = solve_batch(f, y0, t, event_fn=ground, rtol=1e-10, atol=1e-10)
    seconds = torch.sqrt(2 * HEIGHTS / 9.8)
    inputs = [y0, f.gravity, t]
    g_y0, g_gravity, g_t = torch.autograd.grad(solution.event_t.sum(), inputs, retain_graph=True)
    torch.testing.assert_close(g_y0[:, 0], seconds / (2 * HEIGHTS), rtol=1e-7, atol=0.0)
    assert float(g_gravity) == pytest.approx(-float(seconds.sum()) / (2 * 9.8), rel=1e-7)
    torch.testing.assert_close(g_t[:, 0], torch.ones(3, dtype=F64), rtol=1e-7, atol=0.0)
    g_speed, g_t = torch.autograd.grad(solution.ys[-1, :, 1].sum(), [f.gravity, t])  # -sqrt(2 g h)
    assert float(g_speed) == pytest.approx(-float(torch.sqrt(2 * HEIGHTS / 9.8).sum()) / 2, rel=1e-7)
    torch.testing.assert_close(g_t, torch.zeros_like(g_t), rtol=0.0, atol=1e-7)


def test_events_are_those_of_each_sample_alone() -> None:
    f = lambda t, y: torch.stack([y[..., 1], -torch.sin(y[..., 0])], -1)
    y0 = torch.tensor([[0.5, 0.0], [1.0, 0.3], [2.5, 0.0]], dtype=F64)
    batch = solve_batch(f, y0, [0.0, 1.0], event_fn=ground, rtol=1e-7, atol=1e-9)
    for i in range(3):
        event_t, ys = odeint_event(
            f, y0[i], torch.tensor(0.0, dtype=F64), event_fn=ground, rtol=1e-7, atol=1e-9, method="dopri5"
        )
        torch.testing.assert_close(
            batch.event_t[i], event_t[0] if event_t.ndim else event_t, rtol=1e-10, atol=0
        )
        torch.testing.assert_close(batch.ys[-1, i], ys[-1], rtol=1e-9, atol=1e-9)


def test_event_times_pass_gradcheck_for_a_field_and_an_event_with_parameters() -> None:
    def times(y0: Tensor, rate: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        solution = solve_batch(
            lambda t, y: -rate * y * (1 + 0.3 * torch.cos(t)[:, None]),
            y0,
            [0.0, 1.0],
            event_fn=lambda t, y: y[:, 0] - level - 0.1 * t,
            rtol=1e-11,
            atol=1e-11,
        )
        return solution.event_t, solution.ys

    y0 = torch.tensor([[2.0], [3.0]], dtype=F64, requires_grad=True)
    rate = torch.tensor(0.7, dtype=F64, requires_grad=True)
    level = torch.tensor(0.8, dtype=F64, requires_grad=True)
    assert gradcheck(times, (y0, rate, level), atol=1e-6, rtol=1e-5)


def test_a_sample_that_has_met_its_event_is_evaluated_no_more() -> None:
    rows = 0

    def f(t: Tensor, y: Tensor) -> Tensor:
        nonlocal rows
        rows += len(y)
        return -y

    y0 = torch.tensor([[1.0], [1e6]], dtype=F64)
    solution = solve_batch(f, y0, [0.0, 1.0], event_fn=lambda t, y: y - 0.5)
    torch.testing.assert_close(solution.event_t, torch.log(y0[:, 0] / 0.5), rtol=1e-5, atol=0.0)
    assert rows == int(solution.samples.nfe.sum())
    assert int(solution.samples.nfe[0]) < int(solution.samples.nfe[1])


class Levels:
    """An event with a level for each sample."""

    def __init__(self, levels: Tensor) -> None:
        self.levels = levels

    def __call__(self, t: Tensor, y: Tensor) -> Tensor:
        return y[:, 0] - self.levels

    def for_samples(self, samples: Tensor) -> "Levels":
        return Levels(self.levels[samples])


def test_an_event_may_differ_between_samples() -> None:
    levels = torch.tensor([0.5, 0.1, 0.9], dtype=F64)
    solution = solve_batch(lambda t, y: -y, torch.ones(3, 1, dtype=F64), [0.0, 1.0], event_fn=Levels(levels))
    torch.testing.assert_close(solution.event_t, -torch.log(levels), rtol=1e-5, atol=0.0)


def test_a_sample_without_an_event_fails_alone() -> None:
    y0 = torch.tensor([[1.0], [-1.0], [0.0]], dtype=F64)  # decays to the level, away from it, rests
    fields = lambda t, y: torch.where(y > 0, -y, y * y)
    solution = solve_batch(fields, y0, [0.0, 1.0], event_fn=lambda t, y: y - 0.5, max_steps=1000, throw=False)
    assert solution.samples.statuses[0] == "ok"
    assert solution.samples.statuses[1:] == ("max_steps", "max_steps")
    assert "no event" in solution.samples.messages[2]
    assert solution.event_t.isnan().tolist() == [False, True, True]
    assert float(solution.event_t[0]) == pytest.approx(math.log(2), rel=1e-6)
    assert bool(solution.ys[1, 1:].isnan().all())


def test_an_event_function_that_is_no_number_is_no_event() -> None:
    y0 = torch.tensor([[1.0], [4.0]], dtype=F64)
    event = lambda t, y: torch.sqrt(y - 0.5) + torch.where(t > 2.0, -9.0, 0.1)[:, None]
    solution = solve_batch(lambda t, y: -y, y0, [0.0, 1.0], event_fn=event, throw=False)
    assert solution.samples.statuses == ("non_finite", "ok")
    assert "event_fn is not finite" in solution.samples.messages[0]
    assert float(solution.event_t[1]) == pytest.approx(2.0, abs=1e-9)


def test_an_event_function_without_the_samples_first_is_refused() -> None:
    with pytest.raises(ValueError, match="first dimension is y's, 2"):
        solve_batch(
            lambda t, y: -y,
            torch.ones(2, 1),
            [0.0, 1.0],
            event_fn=lambda t, y: y.mean() - 0.5,
        )
