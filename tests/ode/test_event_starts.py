"""Events that are zero where the solve begins, that have a direction, that are several, or only say yes or no."""

import math

import pytest
import torch
from helpers import F64
from torch import Tensor

from odestudy.ode import odeint_event, solve, solve_batch

G = 9.8


def ball(t: Tensor, y: Tensor) -> Tensor:
    """Height and speed of a ball in free flight."""
    return torch.stack([y[1], torch.full_like(y[1], -G)])


def height(t: Tensor, y: Tensor) -> Tensor:
    return y[0]


def thrown(height: float, speed: float, dtype: torch.dtype = F64) -> Tensor:
    return torch.tensor([height, speed], dtype=dtype)


@pytest.mark.parametrize("method", ["dopri5", "dopri8", "rk4", "kvaerno3"])
@pytest.mark.parametrize("speed", [10.0, -10.0])
def test_a_ball_thrown_from_the_ground_lands(method: str, speed: float) -> None:
    options = {"step_size": 0.01, "interp": "cubic"} if method == "rk4" else {}
    sign = math.copysign(1.0, speed)  # thrown down it falls upwards
    t, y = odeint_event(
        lambda t, y: torch.stack([y[1], torch.full_like(y[1], -sign * G)]),
        thrown(0.0, speed),
        torch.tensor(0.0, dtype=F64),
        event_fn=height,
        method=method,
        options=options,
    )
    assert float(t) == pytest.approx(20 / G, rel=1e-6)
    assert float(y[-1, 1]) == pytest.approx(-speed, rel=1e-6)


def test_a_ball_that_starts_at_rest_on_the_ground_is_not_at_its_event() -> None:
    def f(t: Tensor, y: Tensor) -> Tensor:
        return torch.stack([y[1], torch.cos(t).to(y)])  # height 1 - cos t

    found = solve(
        f,
        thrown(0.0, 0.0),
        [0.0, 1.0],
        event_fn=lambda t, y: y[0] - 0 * t,
        rtol=1e-9,
        atol=1e-11,
        dt0=0.1,
        dtmax=0.5,
        event_direction=-1,
        max_steps=30,
        throw=False,
    )
    assert found.status == "max_steps", "the height touches the ground and never falls below"


@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_a_bouncing_ball_is_taken_up_where_each_bounce_ended(dtype: torch.dtype) -> None:
    t, y, times = torch.tensor(0.0, dtype=dtype), thrown(5.0, 0.0, dtype), []
    tight = 1e-4 if dtype == torch.float32 else 1e-9
    for _ in range(5):
        t, ys = odeint_event(ball, y, t, event_fn=height, rtol=tight, atol=tight)
        times.append(float(t))
        y = ys[-1] * torch.tensor([1.0, -0.8], dtype=dtype)
    first = math.sqrt(10 / G)
    wanted = [first * (1 + 2 * sum(0.8**k for k in range(1, n + 1))) for n in range(5)]
    assert times == pytest.approx(wanted, rel=20 * tight)


def test_a_solve_that_goes_on_behind_its_event_meets_the_next_one() -> None:
    def turn(t: Tensor, y: Tensor) -> Tensor:
        return torch.stack([y[1], -y[0]])

    t, y, times = torch.tensor(0.0, dtype=F64), thrown(0.0, 1.0), []
    for _ in range(6):
        t, ys = odeint_event(turn, y, t, event_fn=height)
        times.append(float(t))
        y = ys[-1]
    assert times == pytest.approx([math.pi * k for k in range(1, 7)], rel=1e-6)


@pytest.mark.parametrize(("direction", "wanted"), [(0, math.pi / 2), (-1, math.pi / 2), (1, 3 * math.pi / 2)])
def test_an_event_counts_in_its_direction_alone(direction: int, wanted: float) -> None:
    f, y0 = lambda t, y: torch.ones_like(y), torch.zeros(1, dtype=F64)
    found = solve(
        f, y0, [0.0, 1.0], event_fn=lambda t, y: torch.cos(y[0]), event_direction=direction, dtmax=0.3
    )
    assert float(found.event_t) == pytest.approx(wanted, rel=1e-9)


def test_of_several_events_the_first_is_named() -> None:
    def walls(t: Tensor, y: Tensor) -> Tensor:
        return torch.stack([y[0] - 3, y[0] + 1, y[0] - 2])

    y0 = torch.zeros(1, dtype=F64)
    found = solve(lambda t, y: torch.ones_like(y), y0, [0.0, 1.0], event_fn=walls)
    assert (float(found.event_t), found.event_index) == (pytest.approx(2.0), 2)
    found = solve(lambda t, y: torch.ones_like(y), y0, [0.0, 1.0], event_fn=walls, event_direction=[1, 0, -1])
    assert (float(found.event_t), found.event_index) == (pytest.approx(3.0), 0)
    with pytest.raises(ValueError, match="event_direction must be 1"):
        solve(ball, y0, [0.0, 1.0], event_fn=walls, event_direction=[1, 2])


def test_a_yes_or_no_event_has_its_time_and_refuses_its_gradient() -> None:
    y0 = torch.ones(1, dtype=F64, requires_grad=True)
    t, y = odeint_event(
        lambda t, y: y, y0, torch.tensor(0.0, dtype=F64), event_fn=lambda t, y: (y < 100).all()
    )
    assert float(t) == pytest.approx(math.log(100), rel=1e-6)
    assert not t.requires_grad
    with pytest.raises(RuntimeError, match="an event that only says yes or no has no derivative"):
        y[-1].sum().backward()


def test_the_end_of_a_solve_moves_with_its_event() -> None:
    a = torch.tensor(0.5, dtype=F64, requires_grad=True)
    y0 = torch.ones(1, dtype=F64)
    found = solve(
        lambda t, y: a * y, y0, [0.0, 1.0], event_fn=lambda t, y: y[0] - math.e, rtol=1e-9, atol=1e-11
    )
    (by_time,) = torch.autograd.grad(found.event_t, a, retain_graph=True)
    (by_state,) = torch.autograd.grad(found.ys[-1].sum(), a)
    assert float(by_time) == pytest.approx(-4.0, rel=1e-6)  # t = 1 / a
    assert float(by_state) == pytest.approx(0.0, abs=1e-6)  # the state at the event is e, whatever a is


@pytest.mark.parametrize("method", ["dopri5", "dopri8"])
def test_samples_are_not_at_an_event_that_is_zero_where_they_start(method: str) -> None:
    def balls(t: Tensor, y: Tensor) -> Tensor:
        return torch.stack([y[:, 1], torch.full_like(y[:, 1], -G)], 1)

    y0 = torch.tensor([[0.0, 10.0], [0.0, 5.0], [1.0, 0.0]], dtype=F64)
    found = solve_batch(balls, y0, [0.0, 1.0], method=method, event_fn=lambda t, y: y[:, 0])
    assert found.event_t is not None
    assert found.event_t.tolist() == pytest.approx([20 / G, 10 / G, math.sqrt(2 / G)], rel=1e-6)
    again = found.ys[-1] * torch.tensor([1.0, -1.0], dtype=F64)  # each bounces as it is
    second = solve_batch(balls, again, [0.0, 1.0], method=method, event_fn=lambda t, y: y[:, 0])
    assert second.event_t is not None
    assert second.event_t.tolist() == pytest.approx([20 / G, 10 / G, math.sqrt(8 / G)], rel=1e-6)


def test_samples_have_yes_or_no_events() -> None:
    y0 = torch.tensor([[1.0], [2.0]], dtype=F64)
    found = solve_batch(lambda t, y: y, y0, [0.0, 1.0], event_fn=lambda t, y: y[:, 0] < 100)
    assert found.event_t is not None
    assert found.event_t.tolist() == pytest.approx([math.log(100), math.log(50)], rel=1e-5)


def test_an_empty_state_has_no_event() -> None:
    with pytest.raises(ValueError, match="an empty state has no event"):
        solve(lambda t, y: y, torch.ones(0, 3), [0.0, 1.0], event_fn=lambda t, y: y[:, 0])
    found = solve_batch(lambda t, y: y, torch.ones(0, 3), [0.0, 1.0], event_fn=lambda t, y: y[:, 0])
    assert found.event_t is not None
    assert found.event_t.shape == (0,)
