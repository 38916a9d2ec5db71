"""Failures of the numerics are statuses with a text."""

import pickle
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchdiffeq
from helpers import F64, Mlp, rotation
from torch import Tensor

from odestudy import ode
from odestudy.ode import STATUSES, Solution, SolveError, solve, solve_batch
from odestudy.ode._status import Failure


def explode(t: Tensor, y: Tensor) -> Tensor:
    return y * y


def cut_off(t: Tensor, y: Tensor) -> Tensor:
    """Not a number from t = 1 on."""
    return torch.where(t < 1.0, y, torch.full_like(y, torch.nan))


def stiff(t: Tensor, y: Tensor) -> Tensor:
    return -1e5 * (y - torch.cos(t))


def test_a_blow_up_in_finite_time_underflows_there() -> None:
    solution = solve(explode, torch.ones(1, dtype=F64), [0.0, 0.5, 2.0], throw=False)
    assert solution.status == "step_size_underflow"
    assert "t = 1" in solution.message or "t = 0.9999" in solution.message
    assert "dt = " in solution.message
    assert "error norm" in solution.message
    assert float(solution.ys[1]) == pytest.approx(2.0, rel=1e-5)
    assert bool(solution.ys[2].isnan())


def test_a_non_finite_derivative_is_named_with_its_time() -> None:
    solution = solve(cut_off, torch.ones(1, dtype=F64), [0.0, 2.0], throw=False)
    assert solution.status == "non_finite"
    assert "f gave a non-finite value" in solution.message
    assert "t = 1" in solution.message or "t = 0.9999" in solution.message


def test_a_non_finite_initial_value_is_named() -> None:
    solution = solve(rotation, torch.tensor([1.0, torch.nan], dtype=F64), [0.0, 2.0], throw=False)
    assert solution.status == "non_finite"
    assert "the state itself is not finite" in solution.message


@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_fixed_steps_that_leave_the_numbers_say_when(method: str) -> None:
    solution = solve(
        explode, torch.ones(1, dtype=F64), torch.linspace(0, 20, 41, dtype=F64), method=method, throw=False
    )
    assert solution.status == "non_finite"
    assert "the state is not finite at t = " in solution.message


def test_too_few_steps_are_a_status_that_suspects_stiffness() -> None:
    solution = solve(stiff, torch.zeros(1, dtype=F64), [0.0, 10.0], max_steps=200, throw=False)
    assert solution.status == "max_steps"
    assert "200 steps were not enough" in solution.message
    assert "stiff" in solution.message
    assert solution.stats.stiffness > 2


def test_a_step_below_dtmin_ends_the_solve() -> None:
    solution = solve(stiff, torch.zeros(1, dtype=F64), [0.0, 10.0], dtmin=1e-3, throw=False)
    assert solution.status == "step_size_underflow"


def test_odeint_raises_what_solve_returns() -> None:
    with pytest.raises(SolveError, match="step_size_underflow: the step size became too small") as caught:
        ode.odeint(explode, torch.ones(1, dtype=F64), torch.tensor([0.0, 2.0], dtype=F64))
    assert caught.value.status == "step_size_underflow"
    with pytest.raises(SolveError, match="max_steps"):
        ode.odeint(stiff, torch.zeros(1), torch.tensor([0.0, 10.0]), options={"max_num_steps": 50})
    with pytest.raises(RuntimeError):
        solve(explode, torch.ones(1), [0.0, 2.0]).raise_on_failure()


def test_min_step_of_odeint_accepts_whatever_the_error_as_torchdiffeq_does() -> None:
    y = ode.odeint(rotation, torch.ones(2), torch.tensor([0.0, 1.0]), rtol=1e-12, options={"min_step": 0.1})
    assert bool(torch.isfinite(y).all())


def test_the_adjoints_parameter_block_is_blamed_when_it_is_the_cause() -> None:
    """f is smooth in y, but its derivative in the parameter is rough: only the parameters' block suffers."""

    class Rough(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.p = torch.nn.Parameter(torch.zeros(1, dtype=F64))

        def forward(self, t: Tensor, y: Tensor) -> Tensor:
            return -y + self.p * torch.sign(torch.sin(1e5 * t))

    solution = solve(
        Rough(),
        torch.ones(1, dtype=F64),
        [0.0, 1.0],
        gradient="adjoint",
        max_steps=100,
        rtol=1e-8,
        atol=1e-10,
    )
    assert solution.status == "ok"
    with pytest.raises(SolveError, match=r"largest error is in the adjoint's parameters\[0\].*seminorm"):
        solution.ys[-1].sum().backward()
    assert solution.stats.status_backward == "max_steps"


def test_every_status_is_one_of_the_protocols() -> None:
    assert STATUSES == (
        "ok",
        "step_size_underflow",
        "non_finite",
        "newton_failed",
        "max_steps",
        "out_of_memory",
        "timeout",
    )


Y0, T = torch.ones(2), torch.tensor([0.0, 1.0])


@pytest.mark.parametrize("gradient", ["backprop", "checkpointed"])
@pytest.mark.parametrize("steps", [{"dt0": 0.1}, {"grid": torch.linspace(0, 1, 11)[1:-1]}])
def test_a_grid_with_too_many_steps_is_a_status_and_keeps_what_it_reached(
    steps: dict[str, Any], gradient: str
) -> None:
    f, y0 = Mlp(), torch.ones(2, dtype=F64, requires_grad=True)
    t = torch.tensor([0.0, 0.35, 0.6, 1.0], dtype=F64, requires_grad=True)
    solution = solve(f, y0, t, method="rk4", max_steps=5, gradient=gradient, **steps, throw=False)
    assert solution.status == "max_steps"
    assert "5 steps were not enough: the grid from t = 0 to t = 1 has 10" in solution.message
    assert solution.stats.accepted == 5
    assert solution.ys.isfinite().all(1).tolist() == [True, True, False, False]
    whole = solve(f, y0, t, method="rk4", max_steps=10, **steps, throw=False)
    assert whole.status == "ok"
    ours, exact = (torch.autograd.grad(ys[1].sum(), [y0, t]) for ys in (solution.ys, whole.ys))
    for a, b in zip(ours, exact, strict=True):
        torch.testing.assert_close(a, b)


def test_an_event_before_the_last_allowed_step_is_found() -> None:
    arguments = {"method": "rk4", "dt0": 0.1, "event_fn": lambda t, y: y - 0.5}
    y0 = torch.ones(1, dtype=F64)
    assert solve(lambda t, y: -y, y0, [0.0, 1.0], max_steps=7, **arguments, throw=False).status == "ok"
    assert solve(lambda t, y: -y, y0, [0.0, 1.0], max_steps=6, **arguments, throw=False).status == "max_steps"


def test_an_empty_batch_is_solved_under_every_norm() -> None:
    for norm in ("rms", "linf"):
        assert solve(rotation, torch.ones(0, 2), [0.0, 1.0], norm=norm).ys.shape == (2, 0, 2)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_max_num_steps_of_odeint_bounds_each_interval_and_max_steps_of_solve_them_all(sign: float) -> None:
    y0, t = torch.ones(2, dtype=F64), sign * torch.linspace(0, 10, 11, dtype=F64)
    tight = {"rtol": 1e-8, "atol": 1e-8}
    total = solve(rotation, y0, t, **tight, throw=False).stats
    steps = total.accepted + total.rejected
    for package in (ode, torchdiffeq):
        package.odeint(rotation, y0, t, options={"max_num_steps": steps // 4}, **tight)
    assert solve(rotation, y0, t, max_steps=steps // 4, **tight, throw=False).status == "max_steps"
    with pytest.raises(SolveError, match="max_steps"):
        ode.odeint(rotation, y0, t[[0, -1]], options={"max_num_steps": steps // 4}, **tight)


@pytest.mark.parametrize("options", [{"ifactor": 1.0}, {"dfactor": 1.0}, {"dtype": torch.float32}])
def test_options_that_torchdiffeq_takes_are_accepted(options: dict[str, Any]) -> None:
    y = ode.odeint(rotation, torch.ones(2), T, rtol=1.0, atol=1.0, options=options)
    assert bool(torch.isfinite(y).all())


def test_a_rejected_step_that_may_not_shrink_ends_the_solve() -> None:
    with pytest.raises(SolveError, match="step_size_underflow: a rejected step may not be made smaller"):
        ode.odeint(stiff, torch.zeros(1), T, options={"dfactor": 1.0, "first_step": 0.5})


def test_a_failed_solve_crosses_processes_as_itself() -> None:
    error = pickle.loads(pickle.dumps(SolveError(Failure("max_steps", "too many"))))
    assert isinstance(error, SolveError)
    assert (error.status, str(error)) == ("max_steps", "max_steps: too many")


@pytest.mark.parametrize("by", [solve, solve_batch])
def test_a_failed_solve_raises_unless_its_status_is_asked_for(by: Callable[..., Solution]) -> None:
    y0 = torch.ones(1, 1, dtype=F64)
    with pytest.raises(SolveError, match="step_size_underflow"):
        by(explode, y0, [0.0, 2.0])
    assert by(explode, y0, [0.0, 2.0], throw=False).status == "step_size_underflow"


@pytest.mark.parametrize("solver", ["RK45", "BDF", "LSODA", "adams"])
def test_scipys_solvers_end_where_the_solution_does(solver: str) -> None:
    y0 = torch.ones(2, dtype=F64)
    given: dict[str, Any] = {"method": "scipy_solver", "options": {"solver": solver}, "throw": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = solve(lambda t, y: y**2, y0, [0.0, 2.0], **given)
    assert found.status in ("step_size_underflow", "max_steps")
    assert found.ys[1].isnan().all()
