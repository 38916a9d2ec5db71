"""Every gradient: exact where it claims to be, converging where it solves backwards, at constant memory."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchdiffeq
from helpers import F64, Mlp, saved_bytes
from torch import Tensor
from torch.autograd import gradcheck

from odestudy.ode import GRADIENTS, TABLEAUS, SolveError, solve

DISCRETE = ["backprop", "checkpointed", "forward"]
CONTINUOUS = ["adjoint", "quadrature"]
ANY_METHOD = [name for name in GRADIENTS if name != "reversible"]  # that one belongs to a method of its own


def gradients(gradient: str, t: Tensor | None = None, **arguments: Any) -> list[Tensor]:
    """Of a loss on all observations, with respect to y0, the parameters and t."""
    f = Mlp()
    t = (torch.linspace(0, 2, 6, dtype=F64) if t is None else t).clone().requires_grad_()
    y0 = torch.linspace(-1, 1, 6, dtype=F64).reshape(3, 2).requires_grad_()
    ys = solve(f, y0, t, gradient=gradient, **arguments).raise_on_failure().ys
    loss = (ys.sin() * torch.arange(1, len(t) + 1, dtype=F64)[:, None, None]).sum()
    return list(torch.autograd.grad(loss, [y0, *f.parameters(), t]))


def distance(ours: list[Tensor], oracle: list[Tensor]) -> float:
    a, b = (torch.cat([g.reshape(-1) for g in gs]) for gs in (ours, oracle))
    return float((a - b).norm() / b.norm())


@pytest.fixture(scope="module")
def oracle() -> list[Tensor]:
    return gradients("backprop", method="dopri8", rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("method", TABLEAUS)
@pytest.mark.parametrize("gradient", DISCRETE)
def test_discrete_gradients_pass_gradcheck_on_a_fixed_grid(gradient: str, method: str) -> None:
    f = Mlp(hidden=3)
    grid = [0.0, 0.2, 0.45, 0.6, 1.0]

    def final(y0: Tensor, *params: Tensor) -> Tensor:
        return solve(f, y0, [0.0, 0.3, 1.0], method=method, grid=grid, gradient=gradient).ys

    y0 = torch.tensor([0.3, -0.5], dtype=F64, requires_grad=True)
    assert gradcheck(final, (y0, *f.parameters()), fast_mode=True)


@pytest.mark.parametrize("method", ["explicit_adams", "implicit_adams"])
def test_adams_passes_gradcheck(method: str) -> None:
    f = Mlp(hidden=3)

    def final(y0: Tensor, *params: Tensor) -> Tensor:
        return solve(f, y0, [0.0, 0.33, 1.0], method=method, dt0=0.1).ys

    y0 = torch.tensor([0.3, -0.5], dtype=F64, requires_grad=True)
    assert gradcheck(final, (y0, *f.parameters()), fast_mode=True)


@pytest.mark.parametrize("gradient", ["backprop", "checkpointed"])
@pytest.mark.parametrize("arguments", [{"grid": [0.2, 0.45, 0.6]}, {"dt0": 0.21}, {}])
@pytest.mark.parametrize("method", ["rk4", "dopri5"])
def test_gradients_in_time_pass_gradcheck(gradient: str, arguments: dict, method: str) -> None:
    f, y0 = Mlp(hidden=3), torch.tensor([0.3, -0.5], dtype=F64)
    t = torch.tensor([0.0, 0.3, 1.0], dtype=F64, requires_grad=True)
    if method != "rk4":  # adaptive: the controller follows t, which the discrete gradient leaves out
        arguments = {**arguments, "rtol": 1e-10, "atol": 1e-10}

    def states(t: Tensor) -> Tensor:
        return solve(f, y0, t, method=method, gradient=gradient, **arguments).ys

    assert gradcheck(states, (t,))


@pytest.mark.parametrize("gradient", ["checkpointed", "forward"])
@pytest.mark.parametrize("method", ["dopri5", "tsit5", "dopri8", "bosh3", "adaptive_heun", "rk4"])
def test_discrete_gradients_equal_backprop_to_rounding(gradient: str, method: str) -> None:
    arguments = {"method": method, "rtol": 1e-4, "atol": 1e-4}
    ours, exact = gradients(gradient, **arguments), gradients("backprop", **arguments)
    if gradient == "forward":  # its gradient in t is f(t, y), not the interpolation's slope
        ours, exact = ours[:-1], exact[:-1]
    assert distance(ours, exact) < 1e-12


@pytest.mark.parametrize("steps", [1, 2, 7, 30, 100])
def test_checkpointing_is_exact_for_any_number_of_steps(steps: int) -> None:
    arguments = {"method": "midpoint", "grid": torch.linspace(0, 2, steps + 1).tolist()}
    assert distance(gradients("checkpointed", **arguments), gradients("backprop", **arguments)) < 1e-12


@pytest.mark.parametrize("gradient", ANY_METHOD)
@pytest.mark.parametrize("method", ["dopri5", "tsit5", "dopri8"])
def test_gradients_converge_to_the_oracle(gradient: str, method: str, oracle: list[Tensor]) -> None:
    errors = [
        distance(gradients(gradient, method=method, rtol=r, atol=r), oracle) for r in (1e-4, 1e-7, 1e-10)
    ]
    assert errors[0] < 1e-2
    assert errors[1] < 1e-5
    assert errors[2] < 1e-8


@pytest.mark.parametrize("gradient", ANY_METHOD)
def test_gradients_converge_to_the_oracle_backwards_in_time(gradient: str) -> None:
    t = torch.linspace(2, 0, 6, dtype=F64)
    exact = gradients("backprop", t, method="dopri8", rtol=1e-13, atol=1e-13)
    assert distance(gradients(gradient, t, rtol=1e-9, atol=1e-9), exact) < 1e-7


@pytest.mark.parametrize("norm", ["mixed", "seminorm"])
def test_the_adjoint_agrees_with_torchdiffeqs(norm: str) -> None:
    f, t = Mlp(), torch.linspace(0, 2, 4, dtype=F64)
    y0 = torch.ones(3, 2, dtype=F64, requires_grad=True)
    tight = {"rtol": 1e-9, "atol": 1e-9}
    ours = solve(f, y0, t, gradient="adjoint", adjoint_norm=norm, **tight).ys
    options = {} if norm == "mixed" else {"norm": "seminorm"}
    theirs = torchdiffeq.odeint_adjoint(f, y0, t, **tight, adjoint_options=options)
    for a, b in zip(
        *(torch.autograd.grad(ys.sin().sum(), [y0, *f.parameters()]) for ys in (ours, theirs)), strict=True
    ):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("gradient", ANY_METHOD)
def test_linear_dynamics_have_the_closed_forms_gradient(gradient: str) -> None:
    class Linear(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rate = torch.nn.Parameter(torch.tensor(-0.7, dtype=F64))

        def forward(self, t: Tensor, y: Tensor) -> Tensor:
            return self.rate * y

    f, y0 = Linear(), torch.tensor([2.0], dtype=F64, requires_grad=True)
    t = torch.tensor([0.0, 1.5], dtype=F64, requires_grad=True)
    y1 = solve(f, y0, t, gradient=gradient, rtol=1e-11, atol=1e-11).ys[-1]
    g_y0, g_rate, g_t = torch.autograd.grad(y1, [y0, f.rate, t])
    growth = math.exp(-0.7 * 1.5)
    assert float(g_y0) == pytest.approx(growth, rel=1e-8)
    assert float(g_rate) == pytest.approx(1.5 * 2.0 * growth, rel=1e-8)
    assert g_t.tolist() == pytest.approx([0.7 * 2.0 * growth, -0.7 * 2.0 * growth], rel=1e-7)


@pytest.mark.parametrize("gradient", ANY_METHOD)
def test_tuple_states_have_the_same_gradients_as_one_tensor(gradient: str) -> None:
    f = Mlp()

    class Pair(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = f

        def forward(self, t: Tensor, y: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            dy = self.inner(t, torch.cat([y[0], y[1][..., None]], -1))
            return dy[..., :1], dy[..., 1]

    y0 = torch.linspace(-1, 1, 6, dtype=F64).reshape(3, 2).requires_grad_()
    t = torch.linspace(0, 1, 3, dtype=F64)
    arguments = {"gradient": gradient, "rtol": 1e-11, "atol": 1e-11}
    first, second = solve(Pair(), (y0[:, :1], y0[:, 1]), t, **arguments).ys
    both = torch.cat([first, second[..., None]], -1)
    whole = solve(f, y0, t, **arguments).ys
    for a, b in zip(
        *(torch.autograd.grad(ys.sin().sum(), [y0, *f.parameters()]) for ys in (both, whole)), strict=True
    ):
        torch.testing.assert_close(a, b, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("gradient", ANY_METHOD)
def test_parameters_that_f_does_not_use_get_zeros_or_nothing(gradient: str) -> None:
    f = Mlp()
    f.unused = torch.nn.Parameter(torch.ones(2, dtype=F64))
    ys = solve(f, torch.ones(2, dtype=F64), [0.0, 1.0], gradient=gradient).ys
    ys.sum().backward()
    assert f.w1.grad is not None
    assert f.unused.grad is None or not f.unused.grad.any()


@pytest.mark.parametrize("gradient", ["adjoint", "quadrature", "checkpointed", "forward"])
def test_backward_evaluations_are_counted_apart(gradient: str) -> None:
    f = Mlp()
    solution = solve(f, torch.ones(2, dtype=F64), [0.0, 1.0], gradient=gradient)
    forward = solution.stats.nfe
    assert solution.stats.nfe_backward == 0
    solution.ys.sum().backward()
    assert solution.stats.nfe == forward
    assert (solution.stats.nfe_backward > 0) == (gradient != "forward")
    assert solution.stats.status_backward == "ok"


@pytest.mark.parametrize("gradient", CONTINUOUS)
def test_bytes_saved_for_backward_do_not_grow_with_the_steps(gradient: str) -> None:
    sizes = {bytes_for(gradient, steps) for steps in (8, 32, 128, 512)}
    assert len(sizes) == 1


@pytest.mark.parametrize("steps", [8, 32, 128, 512])
def test_checkpointing_saves_at_most_the_square_root_of_twice_the_steps_in_states(steps: int) -> None:
    states = (bytes_for("checkpointed", steps) - bytes_for("adjoint", 8)) / (64 * 2 * 8)
    assert states <= math.sqrt(2 * steps) + 2


def bytes_for(gradient: str, steps: int) -> int:
    f, y0 = Mlp(), torch.ones(64, 2, dtype=F64, requires_grad=True)
    grid = torch.linspace(0, 1, steps + 1, dtype=F64)
    return saved_bytes(lambda: solve(f, y0, [0.0, 1.0], method="rk4", grid=grid, gradient=gradient).ys)


@pytest.mark.parametrize("gradient", CONTINUOUS)
def test_peak_memory_does_not_grow_with_the_steps(gradient: str) -> None:
    peaks = [peak_bytes(gradient, steps) for steps in (8, 64, 512)]
    assert max(peaks) <= 1.05 * min(peaks)


def test_peak_memory_of_backprop_does_grow_with_the_steps() -> None:
    assert peak_bytes("backprop", 64) > 4 * peak_bytes("backprop", 8)


def peak_bytes(gradient: str, steps: int) -> int:
    """Largest sum of live tensor memory during forward and backward, as the allocator reports it."""
    f, y0 = Mlp(), torch.ones(2048, 2, dtype=F64, requires_grad=True)
    grid = torch.linspace(0, 1, steps + 1, dtype=F64)
    with torch.profiler.profile(
        profile_memory=True, activities=[torch.profiler.ProfilerActivity.CPU]
    ) as profile:
        solve(f, y0, [0.0, 1.0], method="rk4", grid=grid, gradient=gradient).ys.sum().backward()
    return live_peak(profile)


def live_peak(profile: Any) -> int:
    live = peak = 0
    for event in profile.profiler.kineto_results.events():
        if event.name() == "[memory]":
            live += event.nbytes()
            peak = max(peak, live)
    return peak


@pytest.mark.parametrize("gradient", ["adjoint", "quadrature", "checkpointed", "forward"])
def test_a_function_without_known_parameters_is_refused(gradient: str) -> None:
    f: Callable = Mlp().forward
    with pytest.raises(ValueError, match=r"needs f's parameters"):
        solve(f, torch.ones(2, dtype=F64), [0.0, 1.0], gradient=gradient)


@pytest.mark.parametrize("gradient", ["adjoint", "quadrature", "checkpointed"])
def test_given_parameters_are_differentiated(gradient: str) -> None:
    rate = torch.tensor(0.5, dtype=F64, requires_grad=True)
    y0 = torch.ones(1, dtype=F64)
    ys = solve(
        lambda t, y: rate * y, y0, [0.0, 1.0], gradient=gradient, params=[rate], rtol=1e-10, atol=1e-10
    ).ys
    assert float(torch.autograd.grad(ys[-1], rate)[0]) == pytest.approx(math.exp(0.5), rel=1e-7)


def test_a_second_derivative_through_an_adjoint_is_refused() -> None:
    y0 = torch.ones(2, dtype=F64, requires_grad=True)
    ys = solve(Mlp(), y0, [0.0, 1.0], gradient="adjoint").ys
    (g,) = torch.autograd.grad(ys.sum(), y0, create_graph=True)
    with pytest.raises(RuntimeError):
        torch.autograd.grad(g.sum(), y0)


def test_a_backward_solve_that_blows_up_raises_and_says_which_part() -> None:
    """y' = -40 y decays; backwards its reconstruction grows by e^40 a unit of time."""

    class Decay(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rate = torch.nn.Parameter(torch.tensor(40.0, dtype=F64))

        def forward(self, t: Tensor, y: Tensor) -> Tensor:
            return -self.rate * y - y**3

    solution = solve(Decay(), torch.ones(1, dtype=F64), [0.0, 20.0], gradient="adjoint", rtol=1e-3, atol=1e-3)
    assert solution.status == "ok"
    with pytest.raises(SolveError, match="Try:"):
        solution.ys[-1].sum().backward()
    assert solution.stats.status_backward in ("non_finite", "step_size_underflow", "max_steps")
