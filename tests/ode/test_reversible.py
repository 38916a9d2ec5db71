"""Reversible methods: their order, their limits of stability, and a gradient that keeps no steps."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from helpers import F64, Mlp, forced, rotated, rotation, saved_bytes
from torch import Tensor
from torch.autograd import gradcheck

from odestudy import ode
from odestudy.ode import solve

METHOD = {"method": "reversible_heun"}
ALL = ["reversible_heun", "reversible_rk4", "reversible_dopri5"]


def grid(steps: int, end: float = 1.0) -> list[float]:
    return torch.linspace(0, end, steps + 1, dtype=F64).tolist()


def gradients(gradient: str, method: str, **arguments: object) -> list[Tensor]:
    f = Mlp()
    t = torch.linspace(0, 2, 6, dtype=F64).requires_grad_()
    y0 = torch.linspace(-1, 1, 6, dtype=F64).reshape(3, 2).requires_grad_()
    ys = solve(f, y0, t, gradient=gradient, method=method, **arguments).raise_on_failure().ys
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


def largest_after(w: complex, steps: int, **arguments: Any) -> float:
    """|y| after this many unit steps of y' = w y, from 1."""

    def turn(t: Tensor, y: Tensor) -> Tensor:
        return torch.stack([w.real * y[0] - w.imag * y[1], w.imag * y[0] + w.real * y[1]])

    y0 = torch.tensor([1.0, 0.0], dtype=F64)
    given = {**METHOD, **arguments}
    return float(solve(turn, y0, [0.0, float(steps)], grid=grid(steps, steps), **given).ys[-1].norm())


@pytest.mark.parametrize("w", [0.2j, 0.9j, 0.99j])
def test_oscillations_stay_bounded_below_a_step_of_one_over_the_frequency(w: complex) -> None:
    assert largest_after(w, 5000) < 20


def test_longer_steps_and_any_damping_are_unstable() -> None:
    assert largest_after(1.05j, 300) > 1e6
    assert largest_after(-0.05 + 0.3j, 2000) > 1e6


def eigenvalues_made_reversible(tableau: ode.ExplicitTableau, w: complex, coupling: float) -> list[float]:
    """Of the matrix that takes (y, z) to (y1, z1) for y' = w y and a unit step."""
    a, b = tableau.matrix(), np.array(tableau.b)

    def rise(w: complex) -> complex:
        return w * b @ np.linalg.solve(np.eye(len(b)) - w * a, np.ones(len(b)))

    trace = 1 + coupling - (1 - coupling) * rise(-w) - rise(w) * rise(-w)
    return [abs(root) for root in np.roots([1, -trace, coupling])]


@pytest.mark.parametrize("method", ["rk4", "dopri5"])
@pytest.mark.parametrize(("w", "coupling"), [(-0.05, 0.9), (-0.3, 0.9), (-0.3, 0.999), (-0.1 + 0.5j, 0.8)])
def test_made_reversible_errors_grow_or_shrink_by_the_larger_eigenvalue(
    method: str, w: complex, coupling: float
) -> None:
    w = complex(w)
    expected = max(eigenvalues_made_reversible(ode.TABLEAUS[method], w, coupling))
    arguments = {"method": f"reversible_{method}", "options": {"coupling": coupling}}
    growth = (largest_after(w, 600, **arguments) / largest_after(w, 300, **arguments)) ** (1 / 300)
    assert growth == pytest.approx(expected, rel=0.01)
    assert (expected < 1) == (abs(w.real) < -math.log(coupling))  # as the docstring says


@pytest.mark.parametrize(("method", "order"), [("reversible_rk4", 4), ("reversible_dopri5", 5)])
def test_made_reversible_a_method_keeps_its_order(method: str, order: int) -> None:
    errors = []
    for steps in (10, 20, 40):
        ys = solve(forced, torch.ones(1, dtype=F64), [0.0, 2.0], grid=grid(steps, 2.0), method=method).ys
        errors.append(abs(float(ys[-1]) - math.exp(math.sin(2.0))))
    assert math.log2(errors[1] / errors[2]) > order - 0.4


@pytest.mark.parametrize("method", ALL)
def test_states_between_the_steps_join_the_states_at_their_ends(method: str) -> None:
    y0 = torch.tensor([1.0, 0.0], dtype=F64)
    arguments = {"method": method, "grid": grid(3, 2.0)}
    interpolant = solve(rotation, y0, [0.0, 2.0], dense=True, **arguments).interpolant
    assert interpolant is not None
    for end in interpolant.ts[1:]:
        at, after = interpolant(end - 1e-13), interpolant(min(end + 1e-13, 2.0))
        torch.testing.assert_close(at, after, rtol=0.0, atol=1e-11)
    torch.testing.assert_close(interpolant(2.0), solve(rotation, y0, [0.0, 2.0], **arguments).ys[-1])


def test_made_reversible_its_error_follows_the_tolerance() -> None:
    times = torch.linspace(0, 2, 9, dtype=F64)
    exact = torch.stack([torch.cos(times), -torch.sin(times)], 1)
    for tol in (1e-4, 1e-6, 1e-8):
        solution = solve(rotation, exact[0], times, rtol=tol, atol=tol, method="reversible_dopri5")
        assert solution.status == "ok"
        assert float((solution.ys - exact).abs().max()) < 10 * tol


@pytest.mark.parametrize("w", [0.5j, 1.2j, -0.1 + 0j, -0.3 + 0.4j])
def test_errors_grow_by_the_larger_eigenvalue(w: complex) -> None:
    root = (1 + w * w) ** 0.5
    expected = max(abs(w + root), abs(w - root))
    growth = (largest_after(w, 400) / largest_after(w, 200)) ** (1 / 200)
    assert growth == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("method", ALL)
def test_a_step_back_returns_to_where_the_step_came_from(method: str) -> None:
    from odestudy.ode._methods import make_stepper
    from odestudy.ode._span import Span

    stepper, f, y = make_stepper(method), Mlp(), torch.tensor([0.3, -0.5], dtype=F64)
    first = stepper.step(f, Span(0.0, 0.1, y), y, None)
    second = stepper.step(f, Span(0.1, 0.2, y), first.y1, first.solver_state)
    back, state = stepper.reverse(f, Span(0.1, 0.2, y), second.y1, second.solver_state)
    for ours, wanted in zip((back, *state), (first.y1, *first.solver_state), strict=True):
        torch.testing.assert_close(ours, wanted, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("method", ALL)
@pytest.mark.parametrize("steps", [1, 2, 10, 1000])
def test_the_reversible_gradient_is_backprops_to_rounding(steps: int, method: str) -> None:
    arguments = {"grid": grid(steps, 2.0), "method": method}
    assert distance(gradients("reversible", **arguments), gradients("backprop", **arguments)) < 1e-10


@pytest.mark.parametrize("method", ["reversible_heun", "reversible_dopri5"])
@pytest.mark.parametrize("tol", [1e-3, 1e-6])
def test_adaptive_steps_are_taken_back_too(tol: float, method: str) -> None:
    arguments = {"rtol": tol, "atol": tol, "method": method}
    assert distance(gradients("reversible", **arguments), gradients("backprop", **arguments)) < 1e-10


@pytest.mark.parametrize("method", ALL)
@pytest.mark.parametrize("gradient", ["backprop", "reversible"])
def test_their_gradients_pass_gradcheck(gradient: str, method: str) -> None:
    f = Mlp(hidden=3)

    def final(y0: Tensor, t: Tensor, *params: Tensor) -> Tensor:
        return solve(f, y0, t, grid=[0.2, 0.45, 0.6], gradient=gradient, method=method).ys

    y0 = torch.tensor([0.3, -0.5], dtype=F64, requires_grad=True)
    t = torch.tensor([0.0, 0.3, 1.0], dtype=F64, requires_grad=True)
    assert gradcheck(final, (y0, t, *f.parameters()), fast_mode=True)


@pytest.mark.parametrize("method", ["reversible_heun", "reversible_dopri5"])
def test_the_reversible_gradient_reaches_through_an_event(method: str) -> None:
    results = []
    for gradient in ("backprop", "reversible"):
        f, y0 = Mlp(), torch.tensor([1.0, 0.5], dtype=F64, requires_grad=True)
        fall = lambda t, y: y[0] - 0.9 + 0.1 * t
        solution = solve(f, y0, [0.0, 1.0], event_fn=fall, gradient=gradient, rtol=1e-5, method=method)
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


@pytest.mark.parametrize("method", ALL)
@pytest.mark.parametrize("gradient", ["reversible", "backprop"])
def test_bytes_saved_for_backward_do_not_grow_with_the_steps(gradient: str, method: str) -> None:
    def saved(steps: int) -> int:
        f, y0 = Mlp(), torch.ones(64, 2, dtype=F64, requires_grad=True)
        return saved_bytes(
            lambda: solve(f, y0, [0.0, 1.0], grid=grid(steps), gradient=gradient, method=method).ys
        )

    if gradient == "reversible":
        assert saved(8) == saved(512)
    else:
        assert saved(512) > 30 * saved(8)


def test_what_cannot_be_taken_back_is_refused() -> None:
    f, y0 = Mlp(), torch.ones(2, dtype=F64)
    with pytest.raises(ValueError, match="reversible_dopri5\\), not 'dopri5'"):
        solve(f, y0, [0.0, 1.0], gradient="reversible")
    with pytest.raises(ValueError, match="takes no jump_t"):
        solve(f, y0, [0.0, 1.0], gradient="reversible", jump_t=[0.5], **METHOD)
    with pytest.raises(ValueError, match="needs f's parameters"):
        solve(rotation, y0, [0.0, 1.0], gradient="reversible", **METHOD)
    with pytest.raises(ValueError, match=r"coupling 1\.5: need more than 0 and at most 1"):
        solve(f, y0, [0.0, 1.0], method="reversible_dopri5", options={"coupling": 1.5})
    for gradient in ("checkpointed", "forward"):
        with pytest.raises(ValueError, match="one-step method"):
            solve(f, y0, [0.0, 1.0], gradient=gradient, **METHOD)
