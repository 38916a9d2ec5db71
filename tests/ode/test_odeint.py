"""odeint and odeint_adjoint in place of torchdiffeq's."""

import math

import pytest
import torch
import torchdiffeq
from helpers import F64, Mlp
from torch import Tensor

from odestudy import ode

FIXED = ["euler", "midpoint", "heun2", "heun3", "rk4"]


def values_and_gradients(odeint, **arguments) -> list[Tensor]:
    f, t = Mlp(), torch.linspace(0, 2, 5, dtype=F64, requires_grad=True)
    y0 = torch.linspace(-1, 1, 6, dtype=F64).reshape(3, 2).requires_grad_()
    ys = odeint(f, y0, t, **arguments)
    loss = (ys.sin() * torch.arange(5, dtype=F64)[:, None, None]).sum()
    return [ys.detach(), *torch.autograd.grad(loss, [y0, *f.parameters(), t])]


@pytest.mark.parametrize("method", FIXED)
@pytest.mark.parametrize("options", [{}, {"step_size": 0.16}, {"step_size": 0.16, "interp": "cubic"}])
def test_fixed_steps_agree_with_torchdiffeq_to_rounding(method: str, options: dict) -> None:
    ours = values_and_gradients(ode.odeint, method=method, options=options)
    theirs = values_and_gradients(torchdiffeq.odeint, method=method, options=options)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("method", FIXED)
def test_fixed_step_adjoints_agree_with_torchdiffeq_to_rounding(method: str) -> None:
    ours = values_and_gradients(ode.odeint_adjoint, method=method)
    theirs = values_and_gradients(torchdiffeq.odeint_adjoint, method=method)
    for a, b in zip(ours[:-1], theirs[:-1], strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("pair", [("odeint", "odeint"), ("odeint_adjoint", "odeint_adjoint")])
def test_adaptive_values_and_gradients_agree_with_torchdiffeq_within_tolerance(pair: tuple[str, str]) -> None:
    tight = {"method": "dopri5", "rtol": 1e-10, "atol": 1e-10}
    ours = values_and_gradients(getattr(ode, pair[0]), **tight)
    theirs = values_and_gradients(getattr(torchdiffeq, pair[1]), **tight)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("method", ["dopri8", "bosh3", "adaptive_heun", "fehlberg2"])
def test_every_adaptive_method_of_torchdiffeq_is_known_and_agrees(method: str) -> None:
    ours = values_and_gradients(ode.odeint, method=method, rtol=1e-6, atol=1e-6)
    theirs = values_and_gradients(torchdiffeq.odeint, method="dopri5", rtol=1e-10, atol=1e-10)
    for a, b in zip(ours[:-1], theirs[:-1], strict=True):
        torch.testing.assert_close(a, b, rtol=5e-3, atol=1e-3)


@pytest.mark.parametrize("method", ["explicit_adams", "implicit_adams", "fixed_adams"])
@pytest.mark.parametrize(
    "options", [{"step_size": 0.01, "max_order": 5}, {"step_size": 0.01, "max_order": 4}]
)
def test_adams_methods_agree_with_torchdiffeq(method: str, options: dict) -> None:
    ours = values_and_gradients(ode.odeint, method=method, options=options)
    theirs = values_and_gradients(torchdiffeq.odeint, method=method, options=options)
    for a, b in zip(ours[:-1], theirs[:-1], strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("step_size", "stable"), [(0.0025, True), (0.005, False)])
def test_explicit_adams_is_of_torchdiffeqs_order_and_so_stable_where_that_is(
    step_size: float, stable: bool
) -> None:
    """Of order 11, for steps below 0.0034 on y' = -y."""
    y0, t = torch.ones(1, dtype=F64), torch.tensor([0.0, 5.0], dtype=F64)
    for odeint in (ode.odeint, torchdiffeq.odeint):
        y = odeint(lambda t, y: -y, y0, t, method="explicit_adams", options={"step_size": step_size})[-1]
        error = abs(float(y) - math.exp(-5))
        assert error < 1e-10 if stable else error > 1e10


@pytest.mark.parametrize("solver", ["RK45", "DOP853", "Radau", "BDF", "LSODA", "adams"])
def test_scipys_solvers_are_wrapped_and_differentiated_by_the_adjoint(solver: str) -> None:
    arguments = {"method": "scipy_solver", "options": {"solver": solver}, "rtol": 1e-8, "atol": 1e-8}
    ours = values_and_gradients(ode.odeint_adjoint, **arguments)
    exact = values_and_gradients(ode.odeint, method="dopri8", rtol=1e-10, atol=1e-10)
    for a, b in zip(ours, exact, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_time_may_run_backwards_and_the_state_be_a_tuple() -> None:
    def f(t: Tensor, y: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return y[1][:, None] * t, -y[0][:, 0]

    y0 = (torch.ones(2, 1, dtype=F64), torch.zeros(2, dtype=F64))
    t = torch.linspace(1, 0, 4, dtype=F64)
    for options in ({"method": "dopri5", "rtol": 1e-10, "atol": 1e-10}, {"method": "rk4"}):
        for ours, theirs in zip(
            ode.odeint(f, y0, t, **options), torchdiffeq.odeint(f, y0, t, **options), strict=True
        ):
            torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-8)


def test_tolerances_may_differ_for_each_tensor_of_a_tuple() -> None:
    def f(t: Tensor, y: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return -y[0], torch.cos(20 * t) * torch.ones_like(y[1])

    y0, t = (torch.ones(2, dtype=F64), torch.zeros(1, dtype=F64)), torch.tensor([0.0, 2.0], dtype=F64)
    counts = []
    for atol in ((1e-9, 1e-9), (1e-9, 1e3)):
        calls = 0

        def counting(t: Tensor, y: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            nonlocal calls
            calls += 1
            return f(t, y)

        ode.odeint(counting, y0, t, rtol=1e-12, atol=atol)
        counts.append(calls)
    assert counts[1] < counts[0]


def test_the_norm_option_sees_the_state_as_the_caller_gave_it() -> None:
    seen = []

    def norm(state: tuple[Tensor, Tensor]) -> Tensor:
        seen.append(tuple(s.shape for s in state))
        return torch.cat([s.reshape(-1) for s in state]).abs().max()

    y0 = (torch.ones(2, 3), torch.ones(1))
    ode.odeint(lambda t, y: (-y[0], -y[1]), y0, torch.tensor([0.0, 1.0]), options={"norm": norm})
    assert set(seen) == {((2, 3), (1,))}


def test_a_callers_adjoint_norm_sees_time_state_adjoint_and_parameters() -> None:
    f, seen = Mlp(), []

    def norm(state: tuple[Tensor, ...]) -> Tensor:
        seen.append(tuple(tuple(s.shape) for s in state))
        return max(s.abs().max() for s in state)

    y0 = torch.ones(3, 2, dtype=F64)
    ys = ode.odeint_adjoint(f, y0, torch.tensor([0.0, 1.0], dtype=F64), adjoint_options={"norm": norm})
    ys.sum().backward()
    assert set(seen) == {((), (3, 2), (3, 2), (8, 3), (2, 8))}


def test_the_seminorm_spares_backward_evaluations() -> None:
    counts = {}
    for name, options in (("mixed", {}), ("seminorm", {"norm": "seminorm"})):
        f, calls = Mlp(hidden=64), 0

        def count(*_: object) -> None:
            nonlocal calls
            calls += 1

        ys = ode.odeint_adjoint(
            f,
            torch.ones(200, 2, dtype=F64),
            torch.tensor([0.0, 5.0], dtype=F64),
            rtol=1e-7,
            atol=1e-9,
            adjoint_options=options,
        )
        f.register_forward_pre_hook(count)
        ys.sum().backward()
        counts[name] = calls
    assert counts["seminorm"] < counts["mixed"]


def test_adjoint_params_restrict_and_extend_what_is_differentiated() -> None:
    f, t = Mlp(), torch.tensor([0.0, 1.0], dtype=F64)
    ode.odeint_adjoint(f, torch.ones(2, dtype=F64), t, adjoint_params=(f.w1,)).sum().backward()
    assert f.w1.grad is not None
    assert f.w2.grad is None
    rate = torch.tensor(0.3, dtype=F64, requires_grad=True)
    y0 = torch.ones(1, dtype=F64)
    ys = ode.odeint_adjoint(lambda t, y: rate * y, y0, t, adjoint_params=(rate,))
    (grad,) = torch.autograd.grad(ys[-1].sum(), rate)
    torch.testing.assert_close(grad, torch.exp(rate.detach()), rtol=1e-6, atol=0)


def test_adjoint_method_and_options_may_differ_from_the_forward_ones() -> None:
    f, t = Mlp(), torch.linspace(0, 1, 3, dtype=F64)
    y0 = torch.ones(2, dtype=F64, requires_grad=True)
    arguments = {"method": "dopri5", "adjoint_method": "rk4", "adjoint_options": {"step_size": 0.05}}
    grads = []
    for package in (ode, torchdiffeq):
        ys = package.odeint_adjoint(f, y0, t, **arguments)
        grads.append(torch.autograd.grad(ys.sum(), [y0, *f.parameters()]))
    for a, b in zip(*grads, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-7)


def test_grid_constructor_gives_the_steps() -> None:
    grid = torch.tensor([0.0, 0.1, 0.5, 1.0], dtype=F64)
    f, y0, t = Mlp(), torch.ones(2, dtype=F64), torch.tensor([0.0, 1.0], dtype=F64)
    options = {"grid_constructor": lambda func, y0, t: grid}
    ours = ode.odeint(f, y0, t, method="rk4", options=options)
    theirs = torchdiffeq.odeint(f, y0, t, method="rk4", options=options)
    torch.testing.assert_close(ours, theirs, rtol=1e-13, atol=1e-13)


def test_perturb_evaluates_just_inside_each_step() -> None:
    times: list[float] = []

    def f(t: Tensor, y: Tensor) -> Tensor:
        times.append(float(t))
        return torch.where(t < 1.0, 1.0, 2.0).to(y) * torch.ones_like(y)

    t = torch.tensor([0.0, 1.0, 2.0], dtype=F64)
    ys = ode.odeint(f, torch.zeros(1, dtype=F64), t, method="heun2", options={"perturb": True})
    torch.testing.assert_close(ys[:, 0], torch.tensor([0.0, 1.0, 3.0], dtype=F64))
    assert 1.0 not in times


def test_jump_times_are_stepped_onto_and_f_is_asked_on_the_right_side() -> None:
    def f(t: Tensor, y: Tensor) -> Tensor:
        return torch.where(t < 0.7, 1.0, -3.0).to(y) * torch.ones_like(y)

    calls = {"jump_t": 0, "plain": 0}
    y0, t = torch.zeros(1, dtype=F64), torch.tensor([0.0, 2.0], dtype=F64)
    for name, options in (("jump_t", {"jump_t": torch.tensor([0.7])}), ("plain", {})):

        def counting(t: Tensor, y: Tensor, name: str = name) -> Tensor:
            calls[name] += 1
            return f(t, y)

        ys = ode.odeint(counting, y0, t, rtol=1e-9, atol=1e-9, options=options)
        assert float(ys[-1]) == pytest.approx(0.7 - 3.0 * 1.3, abs=1e-6)
    assert calls["jump_t"] < calls["plain"]


def test_step_times_are_stepped_onto() -> None:
    seen = []

    class Watched(Mlp):
        def callback_accept_step(self, t0: Tensor, y0: Tensor, dt: Tensor) -> None:
            seen.append(float(t0))

    t = torch.tensor([0.0, 1.0], dtype=F64)
    ode.odeint(Watched(), torch.ones(2, dtype=F64), t, options={"step_t": torch.tensor([0.25, 0.5])})
    assert {0.25, 0.5} <= set(seen)


def test_callbacks_are_called_as_torchdiffeq_calls_them() -> None:
    class Watched(Mlp):
        def __init__(self) -> None:
            super().__init__()
            self.log: list[tuple[str, float, float]] = []

        def callback_step(self, t0: Tensor, y0: Tensor, dt: Tensor) -> None:
            assert y0.shape == (2,)
            self.log.append(("step", float(t0), float(dt)))

        def callback_accept_step(self, t0: Tensor, y0: Tensor, dt: Tensor) -> None:
            self.log.append(("accept", float(t0), float(dt)))

        def callback_step_adjoint(self, t0: Tensor, y0: tuple, dt: Tensor) -> None:
            self.log.append(("adjoint", float(t0), float(dt)))

    f, t = Watched(), torch.tensor([1.0, 0.0], dtype=F64)
    ode.odeint_adjoint(f, torch.ones(2, dtype=F64), t, rtol=1e-5, atol=1e-5).sum().backward()
    kinds = [kind for kind, _, _ in f.log]
    assert set(kinds) == {"step", "accept", "adjoint"}
    assert all(dt > 0 for _, _, dt in f.log)
    assert f.log[0][1] == 1.0


def test_one_time_gives_the_initial_value() -> None:
    y0 = torch.ones(2)
    for method in ("dopri5", "rk4", "scipy_solver"):
        assert torch.equal(ode.odeint(Mlp(), y0, torch.tensor([0.5]), method=method), y0[None])
