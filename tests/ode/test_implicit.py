"""Implicit methods: tableaus, order, dense output, gradients by the implicit function theorem, failures."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from helpers import F64, Mlp, pulled
from torch import Tensor
from torch.autograd import gradcheck

from odestudy.ode import IMPLICIT_TABLEAUS, solve
from odestudy.ode.tableaus.rodas5p import RODAS5P

ORDERS = {**{name: tab.order for name, tab in IMPLICIT_TABLEAUS.items()}, "rodas5p": 5}
TIGHT = {"rtol": 1e-13, "atol": 1e-13}  # with a given grid: how far Newton's iterations go


def observed_order(order: int, error: Callable[[Tensor], float]) -> float:
    """From a grid on [0, 2] and the same halved."""
    steps = {1: 128, 2: 64}.get(order, 32)
    coarse, fine = (error(torch.linspace(0, 2, n + 1, dtype=F64)) for n in (steps, 2 * steps))
    return math.log2(coarse / fine)


@pytest.mark.parametrize("method", ORDERS)
def test_order_on_an_autonomous_problem(method: str) -> None:
    def error(grid: Tensor) -> float:
        y0 = torch.tensor(0.1, dtype=F64)
        y1 = solve(lambda t, y: y * (1 - y), y0, grid[[0, -1]], method=method, grid=grid, **TIGHT).ys[-1]
        return abs(float(y1) - 1 / (1 + 9 * math.exp(-2.0)))

    order = ORDERS[method]
    assert observed_order(order, error) == pytest.approx(order, abs=0.2)


@pytest.mark.parametrize("method", ORDERS)
def test_order_on_a_non_autonomous_problem_and_of_the_dense_output(method: str) -> None:
    times = torch.linspace(0, 2, 41, dtype=F64)

    def errors(grid: Tensor) -> Tensor:
        y0 = torch.ones((), dtype=F64)
        ys = solve(pulled, y0, times, method=method, grid=grid, **TIGHT).ys
        return (ys - torch.cos(2 * times)).abs()

    order = ORDERS[method]
    assert observed_order(order, lambda grid: float(errors(grid)[-1])) == pytest.approx(order, abs=0.3)
    assert observed_order(order, lambda grid: float(errors(grid).max())) >= order - 0.3


@pytest.mark.parametrize("method", IMPLICIT_TABLEAUS)
def test_a_tableau_that_claims_one_order_more_is_refused(method: str) -> None:
    tab = IMPLICIT_TABLEAUS[method]
    with pytest.raises(ValueError, match="order condition of tree"):
        replace(tab, order=tab.order + 1)


def test_a_tableau_that_claims_too_much_stability_is_refused() -> None:
    with pytest.raises(ValueError, match="not L-stable: R\\(inf\\) is 1"):
        replace(IMPLICIT_TABLEAUS["implicit_midpoint"], l_stable=True)
    with pytest.raises(ValueError, match="not A-stable"):
        replace(IMPLICIT_TABLEAUS["implicit_euler"], a=((0.3,),), order=0, dense_order=0)


def test_a_rosenbrock_tableau_with_a_wrong_coefficient_or_claim_is_refused() -> None:
    with pytest.raises(ValueError, match="order condition of tree"):
        replace(RODAS5P, order=6)
    with pytest.raises(ValueError, match="the dense output is of degree 4"):
        replace(RODAS5P, dense_order=5)
    with pytest.raises(ValueError, match="the dense output fails the order condition"):
        replace(RODAS5P, dense=(*RODAS5P.dense[:2], RODAS5P.dense[1]))
    with pytest.raises(ValueError, match=r"the rows of Gamma sum to"):
        replace(RODAS5P, d=(0.25, *RODAS5P.d[1:]))


def prothero_robinson(method: str, rate: float, steps: int) -> float:
    """The error at t = 2 of y' = -rate (y - cos t) - sin t, y = cos t, with equal steps."""
    f = lambda t, y: -rate * (y - torch.cos(t)) - torch.sin(t)
    grid = torch.linspace(0, 2, steps + 1, dtype=F64)
    with torch.no_grad():
        y = solve(f, torch.ones(1, dtype=F64), [0.0, 2.0], method=method, grid=grid, **TIGHT).ys[-1]
    return abs(float(y) - math.cos(2.0))


@pytest.mark.parametrize(
    ("method", "stiff_order"), [("kvaerno3", 2), ("kvaerno5", 2), ("trapezoid", 2), ("rodas5p", 3)]
)
def test_order_is_reduced_on_a_stiff_problem_as_theory_says(method: str, stiff_order: int) -> None:
    """The error is h^q / rate, q the stage order 2, for stiffly accurate methods (HW II, section IV.15).

    Rodas5P, made for this problem, has q = 3 for rates far above 1 / h.
    """
    stiff = [prothero_robinson(method, 1e5, steps) for steps in (20, 40)]
    assert math.log2(stiff[0] / stiff[1]) == pytest.approx(stiff_order, abs=0.15)
    assert stiff[0] / prothero_robinson(method, 1e6, 20) == pytest.approx(10, rel=0.1)
    mild = [prothero_robinson(method, 3.0, steps) for steps in (20, 40)]
    assert math.log2(mild[0] / mild[1]) == pytest.approx(ORDERS[method], abs=0.35)


@pytest.mark.parametrize(("method", "bound"), [("kvaerno3", 1.0), ("kvaerno5", 3.0)])  # of its closing step
def test_the_dense_output_stays_bounded_where_lambda_does_not(method: str, bound: float) -> None:
    y0, times = torch.ones(1, dtype=F64), torch.linspace(0, 1, 21, dtype=F64)
    ys = solve(lambda t, y: -1e9 * y, y0, times, method=method, grid=[0.0, 1.0], **TIGHT).ys
    assert float(ys.abs().max()) <= bound


@pytest.mark.parametrize("gradient", ["backprop", "checkpointed", "forward"])
@pytest.mark.parametrize("method", ORDERS)
def test_discrete_gradients_pass_gradcheck(method: str, gradient: str) -> None:
    f = Mlp(hidden=3)

    def final(y0: Tensor, *params: Tensor) -> Tensor:
        grid = [0.0, 0.2, 0.45, 1.0]
        return solve(f, y0, [0.0, 0.3, 1.0], method=method, grid=grid, gradient=gradient, **TIGHT).ys

    y0 = torch.tensor([0.3, -0.5], dtype=F64, requires_grad=True)
    assert gradcheck(final, (y0, *f.parameters()), fast_mode=True)


@pytest.mark.parametrize("gradient", ["backprop", "checkpointed"])
@pytest.mark.parametrize("arguments", [{"grid": [0.2, 0.45, 0.6]}, {"dt0": 0.21}, {}])
@pytest.mark.parametrize("method", ["trapezoid", "kvaerno5", "rodas5p"])
def test_gradients_in_time_pass_gradcheck(method: str, arguments: dict[str, Any], gradient: str) -> None:
    f, y0 = Mlp(hidden=3), torch.tensor([0.3, -0.5], dtype=F64)
    t = torch.tensor([0.0, 0.3, 1.0], dtype=F64, requires_grad=True)

    def states(t: Tensor) -> Tensor:
        tight = {"rtol": 1e-9, "atol": 1e-9} if method in ("kvaerno5", "rodas5p") else TIGHT
        options = {"newton_tol": 1e-4} if method == "kvaerno5" else {}
        return solve(f, y0, t, method=method, gradient=gradient, options=options, **tight, **arguments).ys

    assert gradcheck(states, (t,), fast_mode=True)


class Stiff(torch.nn.Module):
    """y' = -rates (y - cos t): Prothero and Robinson's problem with several rates; y keeps near cos t."""

    def __init__(self, *rates: float) -> None:
        super().__init__()
        self.rates = torch.nn.Parameter(torch.tensor(rates, dtype=F64))
        self.target = torch.nn.Parameter(torch.ones((), dtype=F64))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return -self.rates * (y - self.target * torch.cos(t)) + 0.1 * y.roll(1, -1) * y


def of_loss(gradient: str, f: torch.nn.Module, **arguments: Any) -> Tensor:
    """Gradients of a loss in y0 and the parameters, one vector."""
    y0 = torch.tensor([[0.5, 1.0], [1.5, 0.8], [1.0, 1.0]], dtype=F64, requires_grad=True)
    ys = solve(f, y0, [0.0, 0.7, 2.0], gradient=gradient, **arguments).raise_on_failure().ys
    return torch.cat([g.reshape(-1) for g in torch.autograd.grad(ys.sin().sum(), [y0, *f.parameters()])])


@cache
def exact_gradient(rate: float) -> Tensor:
    return of_loss("backprop", Stiff(rate, 1.0), method="dopri8", rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("gradient", ["backprop", "checkpointed", "forward", "adjoint"])
@pytest.mark.parametrize(
    "arguments",
    [("kvaerno3", "full"), ("kvaerno5", "per_sample"), ("rodas5p", "per_sample")],
)
def test_every_gradient_of_an_adaptive_solve_converges(arguments: tuple[str, str], gradient: str) -> None:
    method, jacobian = arguments
    rate = 3.0 if gradient == "adjoint" else 300.0  # back in time a fast decay is a fast growth
    tol = 1e-5 if method == "kvaerno3" else 1e-7
    exact, f = exact_gradient(rate), Stiff(rate, 1.0)
    ours = of_loss(gradient, f, method=method, rtol=tol, atol=tol, options={"jacobian": jacobian})
    assert float((ours - exact).norm() / exact.norm()) < 100 * tol


@pytest.mark.parametrize("gradient", ["checkpointed", "forward"])
def test_discrete_gradients_of_rodas5p_equal_backprop_to_rounding(gradient: str) -> None:
    f, arguments = Stiff(1e4, 1.0), {"method": "rodas5p", "rtol": 1e-4, "atol": 1e-4}
    ours, exact = of_loss(gradient, f, **arguments), of_loss("backprop", f, **arguments)
    assert float((ours - exact).norm() / exact.norm()) < 1e-12


@pytest.mark.parametrize("gradient", ["checkpointed", "forward"])
def test_discrete_gradients_equal_backprop_within_newtons_tolerance(gradient: str) -> None:
    f, arguments = Stiff(1e4, 1.0), {"method": "kvaerno5", "rtol": 1e-4, "atol": 1e-4}
    tight = {"options": {"newton_tol": 1e-7}}
    ours, exact = of_loss(gradient, f, **arguments, **tight), of_loss("backprop", f, **arguments, **tight)
    assert float((ours - exact).norm() / exact.norm()) < 1e-6


@pytest.mark.parametrize("method", ["kvaerno5", "rodas5p"])
def test_samples_that_are_apart_give_one_small_jacobian_each_and_the_same_solution(method: str) -> None:
    f, y0 = Stiff(1e5, 1.0), torch.linspace(0, 1, 20, dtype=F64).reshape(10, 2)
    shapes, states = [], []

    def given(t: Tensor, y: Tensor) -> Tensor:
        rows = torch.func.vmap(torch.func.jacrev(lambda one: f(t, one)))(y)
        shapes.append(tuple(rows.shape))
        return rows

    for jacobian in ("full", "per_sample", given):
        with torch.no_grad():
            solution = solve(f, y0, [0.0, 1.0], method=method, options={"jacobian": jacobian})
        assert solution.status == "ok"
        if method == "kvaerno5":
            assert 0 < solution.stats.jacobians < solution.stats.accepted
        states.append(solution.ys)
    assert set(shapes) == {(10, 2, 2)}
    torch.testing.assert_close(states[1], states[0], rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(states[2], states[0], rtol=1e-9, atol=1e-11)


def test_a_second_derivative_through_an_implicit_step_is_refused() -> None:
    y0 = torch.ones(2, dtype=F64, requires_grad=True)
    ys = solve(Mlp(), y0, [0.0, 1.0], method="kvaerno5").ys
    with pytest.raises(RuntimeError, match="differentiated once only"):
        torch.autograd.grad(ys.sum(), y0, create_graph=True)


@pytest.mark.parametrize("arguments", [{"method": "kvaerno5"}, {"method": "implicit_euler", "dt0": 0.1}])
def test_iterations_that_diverge_however_short_the_step_are_a_status(arguments: dict[str, Any]) -> None:
    y0 = torch.zeros(1, dtype=F64)
    wrong = {"jacobian": lambda t, y: torch.zeros(1, 1, dtype=F64)}
    solution = solve(lambda t, y: 1e18 * (1 - y), y0, [1.0, 2.0], options=wrong, **arguments, throw=False)
    assert solution.status == "newton_failed"
    assert "Newton's iterations for an implicit stage do not converge at t = 1" in solution.message
    assert bool(solution.ys[-1].isnan())


def test_a_stage_that_is_not_finite_is_named_so() -> None:
    y0 = torch.ones(1, dtype=F64)
    cut = lambda t, y: torch.where(t < 1.0, -y, torch.full_like(y, torch.nan))
    for arguments in ({"method": "kvaerno5"}, {"method": "trapezoid", "dt0": 0.3}):
        solution = solve(cut, y0, [0.0, 2.0], **arguments, throw=False)
        assert solution.status == "non_finite"
        assert "f gave a non-finite value in an implicit stage" in solution.message


def test_wrong_options_are_refused() -> None:
    y0 = torch.ones(1, dtype=F64)
    with pytest.raises(ValueError, match=r"'per_sample' needs one tensor \[batch, ...\], got \(1,\)"):
        solve(lambda t, y: -y, y0, [0.0, 1.0], method="rodas5p", options={"jacobian": "per_sample"})
    for options, text in (
        ({"jacobian": "sparse"}, "'jacobian' must be one of full, per_sample, or a callable"),
        ({"newton_tol": 2.0}, "'newton_tol' must be between 0 and 1"),
        ({"order": 2}, "unknown option for method 'kvaerno5': 'order'; known are: jacobian, newton_tol"),
    ):
        with pytest.raises(ValueError, match=text):
            solve(lambda t, y: -y, y0, [0.0, 1.0], method="kvaerno5", options=options)
