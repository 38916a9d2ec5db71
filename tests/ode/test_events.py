"""Solves that end where a function of the state changes its sign."""

import math
from collections.abc import Callable

import pytest
import torch
import torchdiffeq
from helpers import F64, rotation
from torch import Tensor, nn

from odestudy import ode


class Fall(nn.Module):
    """Height and speed of a ball under gravity."""

    def __init__(self) -> None:
        super().__init__()
        self.gravity = nn.Parameter(torch.tensor(9.8, dtype=F64))

    def forward(self, t: Tensor, y: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return y[1], -self.gravity.reshape(1)


def start() -> tuple[Tensor, Tensor]:
    height = torch.tensor([10.0], dtype=F64, requires_grad=True)
    return height, torch.tensor([0.0], dtype=F64)


def ground(t: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
    return y[0]


@pytest.mark.parametrize("interface", ["odeint", "odeint_adjoint"])
@pytest.mark.parametrize(
    "options", [{}, {"method": "rk4", "options": {"step_size": 0.01, "interp": "cubic"}}]
)
def test_a_falling_ball_meets_the_ground_with_the_closed_forms_gradient(
    interface: str, options: dict
) -> None:
    f, y0 = Fall(), start()
    t0 = torch.tensor(0.3, dtype=F64, requires_grad=True)
    event_t, ys = ode.odeint_event(
        f, y0, t0, event_fn=ground, odeint_interface=getattr(ode, interface), atol=1e-9, rtol=1e-9, **options
    )
    seconds = math.sqrt(2 * 10.0 / 9.8)
    assert float(event_t) == pytest.approx(0.3 + seconds, abs=1e-7)
    assert float(ys[0][-1]) == pytest.approx(0.0, abs=1e-6)
    g_height, g_gravity, g_t0 = torch.autograd.grad(event_t, [y0[0], f.gravity, t0], retain_graph=True)
    assert float(g_height) == pytest.approx(seconds / 20, rel=1e-5)
    assert float(g_gravity) == pytest.approx(-seconds / (2 * 9.8), rel=1e-5)
    assert float(g_t0) == pytest.approx(1.0, rel=1e-5)
    (g_speed,) = torch.autograd.grad(ys[1][-1], f.gravity)  # -sqrt(2 g h)
    assert float(g_speed) == pytest.approx(-math.sqrt(2 * 10.0 / 9.8) / 2, rel=1e-5)


def test_event_times_and_gradients_agree_with_torchdiffeq() -> None:
    results = []
    for package in (ode, torchdiffeq):
        f, y0 = Fall(), start()
        t0 = torch.tensor(0.0, dtype=F64)
        event_t, ys = package.odeint_event(f, y0, t0, event_fn=ground, atol=1e-10, rtol=1e-10)
        loss = event_t + ys[1][-1].sum()
        results.append([event_t.detach(), *torch.autograd.grad(loss, [y0[0], f.gravity])])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-7)


def test_an_event_backwards_in_time_is_found() -> None:
    f = Fall()
    y0 = (torch.zeros(1, dtype=F64), torch.tensor([-14.0], dtype=F64))
    top = lambda t, y: y[1]
    event_t, ys = ode.odeint_event(f, y0, torch.tensor(2.0, dtype=F64), event_fn=top, reverse_time=True)
    assert float(event_t) == pytest.approx(2.0 - 14.0 / 9.8, abs=1e-6)
    assert float(ys[0][-1]) == pytest.approx(14.0**2 / (2 * 9.8), rel=1e-6)


def test_the_first_of_several_events_ends_the_solve() -> None:
    both = lambda t, y: torch.stack([y[0][0] - 4.0, y[0][0] - 6.0])
    t = torch.tensor([0.0, 1.0], dtype=F64)
    event_t, _ = ode.odeint(Fall(), start(), t, event_fn=both)
    assert float(event_t) == pytest.approx(math.sqrt(2 * 4.0 / 9.8), abs=1e-7)


def test_the_gradient_reaches_the_event_functions_own_parameters() -> None:
    level = torch.tensor(4.0, dtype=F64, requires_grad=True)
    event_t, _ = ode.odeint_event(
        Fall(), start(), torch.tensor(0.0, dtype=F64), event_fn=lambda t, y: y[0] - level
    )
    (grad,) = torch.autograd.grad(event_t, level)
    assert float(grad) == pytest.approx(-1 / math.sqrt(2 * 9.8 * 6.0), rel=1e-5)


@pytest.mark.parametrize("gradient", ["backprop", "adjoint", "quadrature", "checkpointed", "forward"])
def test_solve_ends_at_the_event_and_moves_with_it(gradient: str) -> None:
    f, y0 = Fall(), start()
    solution = ode.solve(f, y0, [0.0, 1.0], event_fn=ground, gradient=gradient, rtol=1e-9, atol=1e-9)
    assert solution.status == "ok"
    assert float(solution.event_t) == pytest.approx(math.sqrt(2 * 10.0 / 9.8), abs=1e-7)
    (grad,) = torch.autograd.grad(solution.ys[1][-1].sum(), f.gravity)  # of -sqrt(2 g h)
    assert float(grad) == pytest.approx(-float(solution.event_t) / 2, rel=1e-6)


def test_an_event_that_never_comes_is_a_status() -> None:
    never = lambda t, y: y[0] + 1e9
    solution = ode.solve(Fall(), start(), [0.0, 1.0], event_fn=never, method="rk4", dt0=0.05, throw=False)
    assert solution.status == "max_steps"
    assert "no event" in solution.message


def test_an_event_with_fixed_steps_needs_their_size() -> None:
    with pytest.raises(ValueError, match="needs a step size"):
        ode.odeint(Fall(), start(), torch.tensor([0.0, 1.0]), method="rk4", event_fn=ground)


def test_an_event_needs_exactly_start_and_direction() -> None:
    with pytest.raises(ValueError, match="two times; got 3"):
        ode.odeint(Fall(), start(), torch.tensor([0.0, 1.0, 2.0]), event_fn=ground)


@pytest.mark.parametrize(("y0", "slope"), [(float("nan"), -1.0), (1.0, float("inf"))])
def test_a_non_finite_start_ends_the_wait_for_an_event_at_once(y0: float, slope: float) -> None:
    calls = 0

    def f(t: Tensor, y: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        assert calls < 10
        return slope * y

    with pytest.raises(ode.SolveError) as caught:
        ode.odeint_event(f, torch.tensor([y0]), torch.tensor(0.0), event_fn=lambda t, y: y - 0.5)
    assert caught.value.status == "non_finite"


def test_a_state_at_rest_that_meets_no_event_runs_out_of_time_and_says_so() -> None:
    y0, t0 = torch.ones(1, dtype=F64), torch.tensor(0.0, dtype=F64)
    with pytest.raises(ode.SolveError, match="no event between t = 0 and t = inf"):
        ode.odeint_event(lambda t, y: 0 * y, y0, t0, event_fn=lambda t, y: y - 0.5)


@pytest.mark.parametrize("gradient", ["backprop", "checkpointed"])
def test_an_overflow_with_fixed_steps_is_no_event(gradient: str) -> None:
    arguments = {"method": "euler", "dt0": 0.1, "gradient": gradient, "params": ()}
    for dtype in (torch.float32, F64):
        solution = ode.solve(
            lambda t, y: y * y * 1e300, torch.ones(1, dtype=dtype), [0.0, 1.0],
            event_fn=lambda t, y: y - 1e10, **arguments
        , throw=False)  # fmt: skip
        assert solution.status == "non_finite"
        assert solution.event_t is None
        assert bool(solution.ys[1].isnan())


def test_an_event_function_that_is_no_number_is_no_event() -> None:
    solution = ode.solve(
        lambda t, y: -y,
        torch.ones(1),
        [0.0, 1.0],
        event_fn=lambda t, y: torch.log(y - 0.5) + 9.0,
        throw=False,
    )
    assert solution.status == "non_finite"
    assert "event_fn is not finite" in solution.message


def test_a_state_that_runs_to_infinity_on_the_near_side_of_the_event_is_non_finite() -> None:
    solution = ode.solve(
        lambda t, y: y,
        torch.full((1,), 1e30),
        [0.0, 1.0],
        event_fn=lambda t, y: y,
        method="euler",
        dt0=1.0,
        throw=False,
    )
    assert solution.status == "non_finite"


def test_a_gradient_in_the_start_moves_fixed_steps_up_to_the_event() -> None:
    grads = []
    for gradient in ("backprop", "checkpointed"):
        t = torch.tensor([0.3, 1.0], dtype=F64, requires_grad=True)
        ys = ode.solve(Fall(), start(), t, method="rk4", dt0=0.1, event_fn=ground, gradient=gradient).ys
        grads.append(torch.autograd.grad(ys[1][-1].sum() + ys[0][-1].sum(), t)[0])
    torch.testing.assert_close(*grads)


@pytest.mark.parametrize("method", [{"method": "dopri5"}, {"method": "rk4", "dt0": 0.1}])
def test_the_interpolant_ends_at_the_event(method: dict) -> None:
    solution = ode.solve(Fall(), start(), [0.0, 1.0], event_fn=ground, dense=True, **method)
    assert solution.interpolant is not None
    assert solution.event_t is not None
    when = float(solution.event_t)
    assert solution.interpolant.ts[-1] == when
    for ours, row in zip(solution.interpolant(when), solution.ys, strict=True):
        torch.testing.assert_close(ours, row[-1])
    with pytest.raises(ValueError, match=r"is outside the solve, which ran from 0\.0 to 1\.4"):
        solution.interpolant(when + 1e-6)


@pytest.mark.parametrize("method", ["dopri5", "rk4"])
def test_the_interpolant_of_a_single_time_is_the_initial_value(method: str) -> None:
    y0 = torch.ones(2)
    interpolant = ode.solve(lambda t, y: -y, y0, [0.5], dense=True, method=method).interpolant
    assert interpolant is not None
    assert torch.equal(interpolant(0.5), y0)
    assert torch.equal(interpolant(torch.tensor([0.5, 0.5])), torch.stack([y0, y0]))
    with pytest.raises(ValueError, match="outside the solve"):
        interpolant(0.6)


@pytest.mark.parametrize(
    ("answer", "got"),
    [
        (lambda y: [y[0], y[1]], "list"),
        (lambda y: None, "NoneType"),
        (lambda y: y[:0], r"\(0,\) of torch.float64"),
        (lambda y: torch.complex(y[0], y[1]), r"\(\) of torch.complex128"),
    ],
)
def test_an_event_function_without_a_sign_is_refused(answer: Callable[[Tensor], object], got: str) -> None:
    with pytest.raises(ValueError, match=rf"event_fn\(t, y\) gave {got}; it must be a number"):
        ode.solve(rotation, torch.ones(2, dtype=F64), [0.0, 1.0], event_fn=lambda t, y: answer(y))


def test_an_event_function_that_is_no_number_at_the_start_ends_the_solve_there() -> None:
    found = ode.solve(
        rotation,
        torch.ones(2, dtype=F64),
        [0.3, 1.0],
        event_fn=lambda t, y: y[0] * math.nan,
        throw=False,
    )
    assert found.status == "non_finite"
    assert "event_fn is not finite at t = 0.3" in found.message
    assert found.stats.accepted == 1
