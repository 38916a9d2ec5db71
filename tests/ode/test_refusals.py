"""What a caller gets wrong is a ValueError with one line, before f is asked."""

from typing import Any

import pytest
import torch
from helpers import Mlp, rotation
from torch import Tensor

from odestudy import ode
from odestudy.ode import PIDController, solve


def unasked(t: Tensor, y: Any) -> Any:
    raise AssertionError("f was evaluated although the arguments are wrong")


Y0, T = torch.ones(2), torch.tensor([0.0, 1.0])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"method": "dopri"}, "unknown method 'dopri'; known are: .*dopri5"),
        ({"gradient": "magic"}, "unknown gradient 'magic'; known are: adjoint, backprop"),
        ({"norm": "l1"}, "unknown norm 'l1'; known are: linf, rms"),
        ({"adjoint_norm": "semi"}, "unknown adjoint_norm 'semi'; known are: mixed, seminorm"),
        ({"rtol": -1.0}, "rtol must not be negative"),
        ({"atol": float("nan")}, "atol must not be negative or nan"),
        ({"rtol": (1e-3, 1e-3)}, "rtol has 2 entries, but y0 is no tuple"),
        ({"rtol": torch.inf}, "rtol must not be negative or nan, nor infinite, got inf"),
        ({"rtol": None}, "rtol must be a number, got None"),
        ({"rtol": "tight"}, "rtol must be a number, got 'tight'"),
        ({"atol": torch.ones(3)}, r"atol must be .* broadcast to y0's shape \(2,\), got shape \(3,\)"),
        ({"rtol": torch.ones(2, 2)}, r"rtol must be .* broadcast to y0's shape \(2,\), got shape \(2, 2\)"),
        ({"y0": (torch.ones(2),), "atol": (torch.ones(3),)}, r"atol must be .* y0's shape \(2,\)"),
        ({"norm": 3}, "norm must be one of linf, rms, or a callable, got 3"),
        ({"controller": 3}, "controller must be a PIDController or None, got 3"),
        ({"method": None}, "unknown method None; known are: .*dopri5"),
        ({"gradient": None}, "unknown gradient None"),
        ({"event_fn": 3}, "event_fn must be a callable"),
        ({"params": 3}, "params must be tensors"),
        ({"max_steps": 1.5}, "max_steps 1.5: need a whole number, at least 1"),
        ({"dt0": "small"}, "dt0 must be a number, got 'small'"),
        ({"grid": [torch.nan]}, r"grid must hold finite times, got \(nan,\)"),
        ({"step_t": [torch.nan]}, "step_t must hold finite times"),
        ({"jump_t": ["soon"]}, r"jump_t must be a tensor or list of times, got \['soon'\]"),
        (
            {"method": "fixed_adams", "options": {"max_order": 2.5}},
            "max_order 2.5: need a whole number, 1 to 12",
        ),
        ({"method": "fixed_adams", "options": {"max_iters": 0}}, "max_iters 0: need at least 1"),
        ({"t": torch.tensor([0.0, 0.0])}, "strictly increasing or strictly decreasing"),
        ({"t": torch.tensor([0.0, 2.0, 1.0])}, "strictly increasing or strictly decreasing"),
        ({"t": torch.tensor([0.0, torch.inf])}, "t must be finite"),
        ({"t": torch.tensor([[0.0, 1.0]])}, r"one-dimensional .* got shape \(1, 2\)"),
        ({"t": torch.tensor([0, 1])}, "t must be floating point, got torch.int64"),
        (
            {"y0": torch.ones(2, dtype=torch.int64)},
            "y0 must hold floating point numbers, real or complex, got torch.int64",
        ),
        ({"y0": [1.0, 2.0]}, "y0 must be a tensor or a non-empty tuple of tensors, got list"),
        ({"y0": ()}, "y0 must be a tensor or a non-empty tuple"),
        ({"dtmin": 1.0, "dtmax": 0.5}, "need 0 <= dtmin <= dtmax"),
        ({"max_steps": 0}, "max_steps 0: need at least 1"),
        ({"dt0": 0.0}, "dt0 0.0: need a finite step size"),
        ({"step_t": [0.5], "jump_t": [0.5]}, "must not share times"),
        ({"options": {"max_order": 3}}, "unknown option for method 'dopri5': 'max_order'"),
        ({"method": "explicit_adams", "options": {"max_order": 13}}, "max_order 13: need 1 to 12"),
        ({"method": "scipy_solver", "options": {"solver": "RK99"}}, "unknown solver 'RK99'"),
    ],
)
def test_wrong_arguments_are_refused_before_f_is_asked(arguments: dict[str, Any], text: str) -> None:
    given = {"y0": Y0, "t": T, **arguments}
    with pytest.raises(ValueError, match=text):
        solve(unasked, given.pop("y0"), given.pop("t"), **given)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"method": "dopri6"}, "unknown method 'dopri6'"),
        (
            {"options": {"stepsize": 0.1}},
            "unknown option for method 'dopri5': 'stepsize'; known are: .*first_step",
        ),
        (
            {"method": "rk4", "options": {"first_step": 0.1}},
            "known are: compile, grid_constructor, interp, norm",
        ),
        (
            {"method": "rk4", "options": {"interp": "spline"}},
            "unknown interp 'spline'; known are: cubic, linear",
        ),
        ({"method": "rk4", "options": {"step_size": 0.1, "grid_constructor": max}}, "exclude each other"),
        ({"method": "rk4", "options": {"step_size": "small"}}, "'step_size' must be a number"),
        ({"method": "rk4", "options": {"step_size": -0.1}}, "'step_size' must be positive"),
        ({"options": {"norm": "rms"}}, "'norm' must be a callable"),
        ({"options": {"jump_t": 0.5}}, "'jump_t' must be a tensor of times"),
        ({"options": {"jump_t": torch.tensor([0.5, 0.5])}}, "must not repeat times"),
        ({"options": {"step_t": torch.tensor([torch.nan])}}, "'step_t' must hold finite times"),
        ({"options": {"max_num_steps": 1.5}}, "'max_num_steps' 1.5: need a whole number"),
        ({"rtol": None}, "rtol must be a number, got None"),
        (
            {"options": {"dtype": torch.int64}},
            "'dtype' must be a floating point torch.dtype.*got torch.int64",
        ),
        ({"options": {"dtype": "float64"}}, "'dtype' must be a floating point torch.dtype.*got 'float64'"),
    ],
)
def test_wrong_options_of_odeint_are_refused_before_f_is_asked(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        ode.odeint(unasked, Y0, T, **arguments)


def test_odeint_adjoint_needs_parameters_and_matching_options() -> None:
    with pytest.raises(ValueError, match=r"func must be an nn.Module"):
        ode.odeint_adjoint(unasked, Y0, T)
    with pytest.raises(ValueError, match="pass adjoint_options"):
        ode.odeint_adjoint(Mlp(), Y0, T, method="dopri5", options={"first_step": 0.1}, adjoint_method="rk4")
    with pytest.raises(ValueError, match="'seminorm' or a callable"):
        ode.odeint_adjoint(Mlp(), Y0, T, adjoint_options={"norm": "semi"})


def test_an_output_of_the_wrong_shape_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match=r"f\(t, y\) gave \(3,\) of torch.float32; it must match y: \(2,\)"):
        solve(lambda t, y: torch.ones(3), Y0, T)


def test_multistep_methods_say_which_gradients_they_lack() -> None:
    for gradient in ("checkpointed", "forward"):
        with pytest.raises(ValueError, match="needs a one-step method, not 'explicit_adams'"):
            solve(Mlp(), Y0.double(), T, method="explicit_adams", gradient=gradient)
    with pytest.raises(ValueError, match="needs an explicit Runge-Kutta method, not 'explicit_adams'"):
        solve(Mlp(), Y0.double(), T, method="explicit_adams", gradient="quadrature")


def test_a_controller_that_could_not_control_is_refused() -> None:
    with pytest.raises(ValueError, match="0 < factor_min <= 1 <= factor_max"):
        PIDController(factor_min=2.0)


@pytest.mark.parametrize("gradient", ["checkpointed", "forward", "quadrature"])
def test_scipys_solvers_refuse_the_gradients_that_they_would_leave_out(gradient: str) -> None:
    class Unasked(torch.nn.Linear):
        forward = staticmethod(unasked)

    y0, t = Y0.clone().requires_grad_(), T.clone().requires_grad_()
    fixed = Unasked(2, 2).requires_grad_(False)
    for f, start, times in ((fixed, y0, T), (fixed, Y0, t), (Unasked(2, 2), Y0, T)):
        with pytest.raises(ValueError, match="is not differentiated through: take gradient='adjoint'"):
            solve(f, start, times, method="scipy_solver", gradient=gradient)


def test_scipys_solvers_solve_and_refuse_the_gradient_where_it_is_asked_for() -> None:
    y0, t = Y0.clone().requires_grad_(), T.clone().requires_grad_()
    w = torch.nn.Parameter(torch.ones(()))
    for start, times, f in ((y0, T, rotation), (Y0, t, rotation), (Y0, T, lambda t, y: w * rotation(t, y))):
        for ys in (
            ode.odeint(f, start, times, method="scipy_solver"),
            solve(f, start, times, method="scipy_solver").ys,
        ):
            assert ys.requires_grad
            with pytest.raises(RuntimeError, match="is not differentiated through: take gradient='adjoint'"):
                ys.sum().backward()
    assert not ode.odeint(rotation, Y0, T, method="scipy_solver").requires_grad


def test_scipys_solvers_run_where_no_gradient_is_wanted() -> None:
    y0 = Y0.clone().requires_grad_()
    with torch.no_grad():
        ys = ode.odeint(rotation, y0, T, method="scipy_solver")
    assert not ys.requires_grad
    assert solve(rotation, Y0, T, method="scipy_solver").status == "ok"


@pytest.mark.parametrize("arguments", [{"dense": True}, {"event_fn": unasked}])
def test_scipys_solvers_refuse_dense_output_and_events_before_f_is_asked(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="has no dense output"):
        solve(unasked, Y0, T, method="scipy_solver", **arguments)


@pytest.mark.parametrize("dt0", [None, 0.1])
def test_a_non_finite_slope_at_the_start_is_reported_at_once(dt0: float | None) -> None:
    solution = solve(lambda t, y: y / 0.0, torch.ones(1), [0.0, 1.0], dt0=dt0, throw=False)
    assert solution.status == "non_finite"
    assert "f gave a non-finite value at the start, t = 0" in solution.message
    assert solution.stats.nfe == 1


@pytest.mark.parametrize("method", ["rk4", "dopri5"])
@pytest.mark.parametrize(
    "ignored",
    [{"controller": PIDController()}, {"dtmin": 0.1}, {"dtmax": 0.1}, {"step_t": [0.5]}, {"jump_t": [0.5]}],
)
def test_fixed_steps_refuse_what_they_would_ignore(method: str, ignored: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"fixed steps take no {next(iter(ignored))}: .*without grid"):
        solve(unasked, Y0, T, method=method, grid=[0.5], **ignored)


def test_a_step_size_and_a_grid_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="and grid exclude each other"):
        solve(unasked, Y0, T, method="rk4", grid=[0.5], dt0=0.1)


@pytest.mark.parametrize("ignored", [{"grid": [0.5]}, {"controller": PIDController()}, {"jump_t": [0.5]}])
def test_scipys_solvers_refuse_what_they_would_ignore(ignored: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"scipy's solvers take no {next(iter(ignored))}"):
        solve(unasked, Y0, T, method="scipy_solver", **ignored)
