"""The reversible Heun method: its order, its limits of stability, and a gradient that keeps no steps."""

import math
from itertools import pairwise

import pytest
import torch
from helpers import F64, Mlp, forced, rotated, rotation, saved_bytes
from torch import Tensor
from torch.autograd import gradcheck

from odestudy.ode import solve

METHOD = {"method": "reversible_heun"}


def grid(steps: int, end: float = 1.0) -> list[float]:
    return torch.linspace(0, end, steps + 1, dtype=F64).tolist()


def gradients(gradient: str, **arguments: object) -> list[Tensor]:
    f = Mlp()
    t = torch.linspace(0, 2, 6, dtype=F64).requires_grad_()
    y0 = torch.linspace(-1, 1, 6, dtype=F64).reshape(3, 2).requires_grad_()
    ys = solve(f, y0, t, gradient=gradient, **METHOD, **arguments).raise_on_failure().ys
    loss = (ys.sin() * torch.arange(1, 7, dtype=F64)[:, None, None]).sum()
    return list(torch.autograd.grad(loss, [y0, *f.parameters(), t]))


def distance(ours: list[Tensor], oracle: list[Tensor]) -> float:
    a, b = (torch.cat([g.reshape(-1) for g in gs]) for gs in (ours, oracle))
    return float((a - b).norm() / b.norm())


def test_it_is_of_order_two_for_one_evaluation_a_step() -> None:
    errors = []
    for steps in (20, 40, 80):
        solution = solve(
            rotation, torch.tensor([1.0, 0.0], dtype=F64), [0.0, 2.0], grid=grid(steps, 2.0), **METHOD
        )
        assert solution.stats.nfe == steps + 1
        errors.append(float((solution.ys[-1] - rotated(2.0)).norm()))
    orders = [math.log2(a / b) for a, b in pairwise(errors)]
    assert orders == pytest.approx([2.0, 2.0], abs=0.15)


def test_states_between_the_steps_are_of_order_two() -> None:
    errors = []
    times = torch.linspace(0, 2, 37, dtype=F64)
    for steps in (20, 40, 80):
        ys = solve(forced, torch.ones(1, dtype=F64), times, grid=grid(steps, 2.0), **METHOD).ys
        errors.append(float((ys[:, 0] - torch.exp(torch.sin(times))).abs().max()))
    assert min(math.log2(a / b) for a, b in pairwise(errors)) > 1.7


@pytest.mark.parametrize("tol", [1e-3, 1e-5, 1e-7])
def test_its_error_follows_the_tolerance_with_adaptive_steps(tol: float) -> None:
    solution = solve(
        rotation,
        torch.tensor([1.0, 0.0], dtype=F64),
        [0.0, 2.0],
        rtol=tol,
        atol=tol,
        max_steps=50_000,
        **METHOD,
    )
    assert solution.status == "ok"
    assert float((solution.ys[-1] - rotated(2.0)).norm()) < 10 * tol


def largest_after(w: complex, steps: int) -> float:
    """|y| after this many unit steps of y' = w y, from 1."""

    def turn(t: Tensor, y: Tensor) -> Tensor:
        return torch.stack([w.real * y[0] - w.imag * y[1], w.imag * y[0] + w.real * y[1]])

    y0 = torch.tensor([1.0, 0.0], dtype=F64)
    return float(solve(turn, y0, [0.0, float(steps)], grid=grid(steps, steps), **METHOD).ys[-1].norm())


@pytest.mark.parametrize("w", [0.2j, 0.9j, 0.99j])
def test_oscillations_stay_bounded_below_a_step_of_one_over_the_frequency(w: complex) -> None:
    assert largest_after(w, 5000) < 20


def test_longer_steps_and_any_damping_are_unstable() -> None:
    assert largest_after(1.05j, 300) > 1e6
    assert largest_after(-0.05 + 0.3j, 2000) > 1e6


@pytest.mark.parametrize("w", [0.5j, 1.2j, -0.1 + 0j, -0.3 + 0.4j])
def test_errors_grow_by_the_larger_eigenvalue(w: complex) -> None:
    root = (1 + w * w) ** 0.5
    expected = max(abs(w + root), abs(w - root))
    growth = (largest_after(w, 400) / largest_after(w, 200)) ** (1 / 200)
    assert growth == pytest.approx(expected, rel=0.02)


def test_a_step_back_returns_to_where_the_step_came_from() -> None:
    from odestudy.ode._methods import make_stepper
    from odestudy.ode._span import Span

    stepper, f, y = make_stepper("reversible_heun"), Mlp(), torch.tensor([0.3, -0.5], dtype=F64)
    first = stepper.step(f, Span(0.0, 0.1, y), y, None)
    second = stepper.step(f, Span(0.1, 0.2, y), first.y1, first.carry)
    back, (z, m) = stepper.reverse(f, Span(0.1, 0.2, y), second.y1, second.carry)
    for ours, wanted in zip((back, z, m), (first.y1, *first.carry), strict=True):
        torch.testing.assert_close(ours, wanted, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("steps", [1, 2, 10, 1000])
def test_the_reversible_gradient_is_backprops_to_rounding(steps: int) -> None:
    arguments = {"grid": grid(steps, 2.0)}
    assert distance(gradients("reversible", **arguments), gradients("backprop", **arguments)) < 1e-10


@pytest.mark.parametrize("tol", [1e-3, 1e-6])
def test_adaptive_steps_are_taken_back_too(tol: float) -> None:
    arguments = {"rtol": tol, "atol": tol}
    assert distance(gradients("reversible", **arguments), gradients("backprop", **arguments)) < 1e-10


@pytest.mark.parametrize("gradient", ["backprop", "reversible"])
def test_its_gradients_pass_gradcheck(gradient: str) -> None:
    f = Mlp(hidden=3)

    def final(y0: Tensor, t: Tensor, *params: Tensor) -> Tensor:
        return solve(f, y0, t, grid=[0.2, 0.45, 0.6], gradient=gradient, **METHOD).ys

    y0 = torch.tensor([0.3, -0.5], dtype=F64, requires_grad=True)
    t = torch.tensor([0.0, 0.3, 1.0], dtype=F64, requires_grad=True)
    assert gradcheck(final, (y0, t, *f.parameters()), fast_mode=True)


def test_the_reversible_gradient_reaches_through_an_event() -> None:
    results = []
    for gradient in ("backprop", "reversible"):
        f, y0 = Mlp(), torch.tensor([1.0, 0.5], dtype=F64, requires_grad=True)
        fall = lambda t, y: y[0] - 0.9 + 0.1 * t  # noqa: E731
        solution = solve(f, y0, [0.0, 1.0], event_fn=fall, gradient=gradient, rtol=1e-5, **METHOD)
        assert solution.event_t is not None
        results.append(list(torch.autograd.grad(solution.ys[-1].sin().sum(), [y0, *f.parameters()])))
    assert distance(*results) < 1e-10


def test_backward_costs_two_evaluations_a_step() -> None:
    f, y0 = Mlp(), torch.ones(2, dtype=F64, requires_grad=True)
    solution = solve(f, y0, [0.0, 1.0], grid=grid(50), gradient="reversible", **METHOD)
    solution.ys.sum().backward()
    assert solution.stats.nfe == 51
    assert solution.stats.nfe_backward == 2 * 50
    assert solution.stats.status_backward == "ok"


@pytest.mark.parametrize("gradient", ["reversible", "backprop"])
def test_bytes_saved_for_backward(gradient: str) -> None:
    def saved(steps: int) -> int:
        f, y0 = Mlp(), torch.ones(64, 2, dtype=F64, requires_grad=True)
        return saved_bytes(lambda: solve(f, y0, [0.0, 1.0], grid=grid(steps), gradient=gradient, **METHOD).ys)

    if gradient == "reversible":
        assert saved(8) == saved(512)
    else:
        assert saved(512) > 30 * saved(8)


def test_what_cannot_be_taken_back_is_refused() -> None:
    f, y0 = Mlp(), torch.ones(2, dtype=F64)
    with pytest.raises(ValueError, match="needs method 'reversible_heun', not 'dopri5'"):
        solve(f, y0, [0.0, 1.0], gradient="reversible")
    with pytest.raises(ValueError, match="takes no jump_t"):
        solve(f, y0, [0.0, 1.0], gradient="reversible", jump_t=[0.5], **METHOD)
    with pytest.raises(ValueError, match="needs f's parameters"):
        solve(rotation, y0, [0.0, 1.0], gradient="reversible", **METHOD)
    for gradient in ("checkpointed", "forward"):
        with pytest.raises(ValueError, match="one-step method"):
            solve(f, y0, [0.0, 1.0], gradient=gradient, **METHOD)
