"""An f as users write them: with memory of its own, random, on tensors from elsewhere; the right value, or a refusal."""

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from helpers import F64
from torch import Tensor, nn

from odestudy.ode import odeint_adjoint, odeint_event, solve, solve_batch

SAVING = ("adjoint", "quadrature", "checkpointed", "forward", "reversible")


def heat(clone: bool, numpy: bool = False) -> Callable[[Tensor, Tensor], Tensor]:
    """The heat equation on 20 points, written into one buffer; its copy where `clone`."""
    n, h = 20, 1 / 19
    memory = np.zeros(n)
    buffer = torch.from_numpy(memory) if numpy else torch.zeros(n, dtype=F64)

    def f(t: Tensor, y: Tensor) -> Tensor:
        inner = (y[:-2] - 2 * y[1:-1] + y[2:]) / h**2
        if numpy:
            memory[1:-1] = inner.numpy()
            return torch.from_numpy(memory)
        buffer[1:-1] = inner
        return buffer.clone() if clone else buffer

    return f


def ends() -> Tensor:
    y0 = torch.ones(20, dtype=F64)
    y0[0] = y0[-1] = 0
    return y0


@pytest.mark.parametrize("numpy", [False, True])
@pytest.mark.parametrize("method", ["dopri5", "dopri8", "tsit5", "bosh3", "auto", "rk4", "fixed_adams"])
def test_an_f_that_reuses_its_output_is_solved_as_its_copy_is(method: str, numpy: bool) -> None:
    fixed = {"dt0": 5e-4} if method in ("rk4", "fixed_adams") else {}
    if method == "auto" and numpy:
        pytest.skip("the implicit method asks f for derivatives, which numpy does not give")
    with torch.no_grad():
        wanted = solve(heat(True), ends(), [0.0, 0.01, 0.02], method=method, **fixed).ys
        got = solve(heat(False, numpy), ends(), [0.0, 0.01, 0.02], method=method, **fixed).ys
    assert torch.equal(got, wanted)


def test_memory_that_is_reused_only_later_on_is_noticed() -> None:
    buffer = torch.zeros(1, dtype=F64)

    def f(t: Tensor, y: Tensor) -> Tensor:
        return buffer.copy_(-y) if t > 0.3 else -y

    y = solve(f, torch.ones(1, dtype=F64), [0.0, 1.0], rtol=1e-9, atol=1e-9).ys[-1]
    assert float(y) == pytest.approx(math.exp(-1), abs=1e-8)


def test_samples_whose_slopes_share_memory_are_solved_as_copies_are() -> None:
    buffer = torch.zeros(2, 1, dtype=F64)

    def f(t: Tensor, y: Tensor) -> Tensor:
        return torch.mul(y, t[:, None], out=buffer[: len(y)])

    y0, t = torch.ones(2, 1, dtype=F64), torch.tensor([[0.0, 2.0], [1.0, 3.0]], dtype=F64)
    y = solve_batch(f, y0, t, rtol=1e-9, atol=1e-9, dt0=0.9).ys[-1][:, 0]
    assert y.tolist() == pytest.approx([math.exp(2), math.exp(4)], rel=1e-7)


class Grows(nn.Module):
    """y' = a c y, c from elsewhere."""

    def __init__(self, c: Tensor) -> None:
        super().__init__()
        self.c, self.a = c, nn.Parameter(torch.tensor(1.0, dtype=F64))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return self.a * self.c * y


@pytest.mark.parametrize("gradient", ["backprop", *SAVING])
def test_tensors_beyond_the_parameters_have_their_gradient_or_are_refused(gradient: str) -> None:
    c = torch.tensor(0.6, dtype=F64, requires_grad=True)
    f, y0 = Grows(c * 1), torch.ones(1, dtype=F64)
    method = "reversible_dopri5" if gradient == "reversible" else "dopri5"
    if gradient == "forward":
        with pytest.raises(ValueError, match="f uses other tensors that need a gradient"):
            solve(f, y0, [0.0, 1.0], gradient=gradient)
        return
    solve(f, y0, [0.0, 1.0], method=method, gradient=gradient).ys[-1].sum().backward()
    assert c.grad is not None
    assert float(c.grad) == pytest.approx(math.exp(0.6), rel=1e-4)
    assert float(f.a.grad) == pytest.approx(0.6 * math.exp(0.6), rel=1e-4)


def test_a_tensor_that_f_uses_only_late_is_found() -> None:
    c = torch.tensor(0.6, dtype=F64, requires_grad=True)
    one = torch.tensor(1.0, dtype=F64)

    def f(t: Tensor, y: Tensor) -> Tensor:
        return (c if t > 0.5 else one) * y

    y0 = torch.ones(1, dtype=F64)
    y = solve(f, y0, [0.0, 1.0], method="rk4", dt0=0.01, gradient="adjoint", params=()).ys[-1]
    (grad,) = torch.autograd.grad(y, c)
    assert float(grad) == pytest.approx(0.5 * math.exp(0.8), rel=1e-2)


def test_each_sample_has_the_gradient_of_tensors_from_elsewhere() -> None:
    c = torch.tensor(0.6, dtype=F64, requires_grad=True)
    y0 = torch.ones(3, 1, dtype=F64)
    ys = solve_batch(Grows(c * 1), y0, [0.0, 1.0], gradient="checkpointed").ys
    (grad,) = torch.autograd.grad(ys[-1].sum(), c)
    assert float(grad) == pytest.approx(3 * math.exp(0.6), rel=1e-4)


def test_the_drop_in_differentiates_the_parameters_that_it_is_given_alone() -> None:
    f = Grows(torch.tensor(0.6, dtype=F64, requires_grad=True))
    y0 = torch.ones(1, dtype=F64)
    odeint_adjoint(f, y0, torch.tensor([0.0, 1.0]), adjoint_params=(f.a,))[-1].sum().backward()
    assert f.c.grad is None
    assert float(f.a.grad) == pytest.approx(0.6 * math.exp(0.6), rel=1e-5)


@pytest.mark.parametrize("gradient", ["adjoint", "quadrature", "checkpointed"])
def test_a_parameter_that_is_listed_twice_has_its_gradient_once(gradient: str) -> None:
    w = nn.Parameter(torch.tensor(0.5, dtype=F64))
    y0 = torch.ones(1, dtype=F64)
    solve(lambda t, y: w * y, y0, [0.0, 1.0], gradient=gradient, params=(w, w)).ys[-1].sum().backward()
    assert w.grad is not None
    assert float(w.grad) == pytest.approx(math.exp(0.5), rel=1e-4)


class Product(nn.Module):
    """y' = a b y."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = (nn.Parameter(torch.tensor(x, dtype=F64)) for x in (0.7, 0.9))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return self.a * self.b * y


@pytest.mark.parametrize("gradient", ["backprop", *SAVING])
def test_gradients_of_gradients_are_right_or_refused(gradient: str) -> None:
    f, y0 = Product(), torch.tensor(2.0, dtype=F64)
    method = "reversible_dopri5" if gradient == "reversible" else "dopri5"
    y = solve(f, y0, [0.0, 1.0], method=method, gradient=gradient).ys[-1]
    (g,) = torch.autograd.grad(y, f.a, create_graph=True)
    y1 = 2 * math.exp(0.63)
    assert float(g) == pytest.approx(0.9 * y1, rel=1e-4)
    if gradient != "backprop":
        with pytest.raises(RuntimeError, match=f"gradient '{gradient}' is differentiated once only"):
            (y + g**2).backward()
        return
    (y + g**2).backward()
    assert float(f.a.grad) == pytest.approx(0.9 * y1 + 2 * 0.9 * y1 * 0.81 * y1, rel=1e-3)


@pytest.mark.parametrize("gradient", ["backprop", *SAVING])
def test_a_hessian_is_right_or_refused_where_autograd_takes_what_is_unused_for_zero(gradient: Any) -> None:
    """y' = y^2, y1 = y0 / (1 - y0), whose second derivative is 2 / (1 - y0)^3."""
    method = "reversible_heun" if gradient == "reversible" else "dopri5"

    def end(y0: Tensor) -> Tensor:
        return solve(
            lambda t, y: y**2, y0, [0.0, 1.0], rtol=1e-5, method=method, gradient=gradient, params=()
        ).ys[-1]

    hessian, y0 = torch.autograd.functional.hessian, torch.tensor(0.5, dtype=F64)
    if gradient == "backprop":
        assert float(hessian(end, y0)) == pytest.approx(16, rel=1e-3)
        return
    with pytest.raises(RuntimeError, match=f"gradient '{gradient}' is differentiated once only"):
        hessian(end, y0)


@pytest.mark.parametrize("batch", [False, True])
def test_nor_is_the_hessian_of_an_event_time_taken_for_a_part_of_it(batch: bool) -> None:
    def when(y0: Tensor) -> Tensor:
        if batch:
            return solve_batch(
                lambda t, y: -y, y0[None, None], [0.0, 1.0], event_fn=lambda t, y: y[:, 0] - 1
            ).event_t.sum()  # type: ignore[union-attr]  # there was one
        return solve(lambda t, y: -y, y0, [0.0, 1.0], event_fn=lambda t, y: y - 1).event_t  # type: ignore[return-value]

    y0 = torch.tensor(2.0, dtype=F64)
    assert float(torch.autograd.functional.jacobian(when, y0)) == pytest.approx(0.5, rel=1e-5)
    with pytest.raises(RuntimeError, match="an event's time is differentiated once only"):
        torch.autograd.functional.hessian(when, y0)


def noisy(t: Tensor, y: Tensor) -> Tensor:
    return 0.5 * torch.rand(1, dtype=F64) * y


@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_a_random_f_is_replayed_with_the_numbers_that_it_drew(method: str) -> None:
    y0 = torch.ones(1, dtype=F64, requires_grad=True)
    y1 = solve(noisy, y0, [0.0, 1.0], method=method, dt0=0.05, gradient="checkpointed", params=()).ys[-1]
    state = torch.get_rng_state()
    (g,) = torch.autograd.grad(y1, y0)
    assert float(g) == pytest.approx(float(y1.detach()), rel=1e-12)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(
    ("gradient", "method"),
    [("adjoint", "rk4"), ("quadrature", "rk4"), ("checkpointed", "dopri5"), ("reversible", "reversible_rk4")],
)
def test_a_random_f_is_refused_where_it_is_not_taken_again(gradient: str, method: str) -> None:
    y0 = torch.ones(1, dtype=F64, requires_grad=True)
    dt0 = None if method == "dopri5" else 0.1
    controls = {"rtol": 1e3, "atol": 1e3}
    ys = solve(noisy, y0, [0.0, 1.0], method=method, dt0=dt0, gradient=gradient, params=(), **controls).ys
    with pytest.raises(RuntimeError, match="f draws random numbers at each evaluation"):
        ys[-1].sum().backward()


@pytest.mark.parametrize("gradient", ["adjoint", "quadrature", "checkpointed"])
@pytest.mark.parametrize(
    "own", [np.random.default_rng(0), np.random.RandomState(0), random.Random(0)], ids=type
)
def test_so_it_is_with_a_generator_of_its_own(own: Any, gradient: Any) -> None:
    y0 = torch.ones(1, dtype=F64, requires_grad=True)
    ys = solve(
        lambda t, y: 0.5 * own.random() * y,
        y0,
        [0.0, 1.0],
        method="rk4",
        dt0=0.1,
        gradient=gradient,
        params=(),
    ).ys
    with pytest.raises(RuntimeError, match="f draws random numbers at each evaluation"):
        ys[-1].sum().backward()


def test_an_f_that_writes_to_the_state_late_is_refused() -> None:
    with pytest.raises(ValueError, match="writes to y, which the solver goes on with"):
        solve(lambda t, y: y.mul_(-1) if t > 0.5 else -y, torch.ones(1, dtype=F64), [0.0, 1.0])


@pytest.mark.parametrize("gradient", ["adjoint", "checkpointed"])
def test_an_f_that_draws_its_noise_once_is_not_random(gradient: str) -> None:
    class Once(nn.Module):
        noise: Tensor | None = None

        def forward(self, t: Tensor, y: Tensor) -> Tensor:
            if self.noise is None:
                self.noise = torch.rand_like(y)
            return self.noise * y

    f, y0 = Once(), torch.ones(1, dtype=F64, requires_grad=True)
    y1 = solve(f, y0, [0.0, 1.0], method="rk4", dt0=0.1, gradient=gradient).ys[-1]
    (g,) = torch.autograd.grad(y1, y0)
    assert float(g) == pytest.approx(float(y1.detach()), rel=1e-6)


def test_parts_of_a_tuple_must_have_the_shapes_of_the_state() -> None:
    y0 = (torch.zeros(2, 3), torch.zeros(3, 2))
    with pytest.raises(
        ValueError, match=r"f\(t, y\) gave \(3, 2\), \(2, 3\); it must match y: \(2, 3\), \(3, 2\)"
    ):
        solve(lambda t, y: (y[1], y[0]), y0, [0.0, 1.0])
    with pytest.raises(ValueError, match=r"f\(t, y\) gave \(2, 3\); it must match y"):
        solve(lambda t, y: (y[0],), y0, [0.0, 1.0])


def test_an_event_time_is_differentiated_once_only() -> None:
    a = torch.tensor(0.5, dtype=F64, requires_grad=True)
    start = torch.ones(1, dtype=F64), torch.tensor(0.0, dtype=F64)
    t, _ = odeint_event(lambda t, y: a * y, *start, event_fn=lambda t, y: y[0] - math.e)
    (g,) = torch.autograd.grad(t, a, create_graph=True)
    assert float(g) == pytest.approx(-4.0, rel=1e-5)  # t = 1 / a
    with pytest.raises(RuntimeError, match="an event's time is differentiated once only"):
        g.backward()


def test_forward_mode_says_that_f_must_not_differentiate_by_autograd() -> None:
    def f(t: Tensor, y: Tensor) -> Tensor:
        with torch.enable_grad():
            x = y.detach().requires_grad_()
            return torch.autograd.grad(torch.sin(x).sum(), x)[0]

    y0 = torch.ones(2, dtype=F64, requires_grad=True)
    with pytest.raises(ValueError, match=r"an f that differentiates inside itself needs torch\.func"):
        solve(f, y0, [0.0, 1.0], gradient="forward", params=())


class Encoded(nn.Module):
    """y' = w c y, where c, and the start, were made from f's own parameters before the solve."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.encoder = nn.Sequential(nn.Linear(1, 4, dtype=F64), nn.Tanh(), nn.Linear(4, 1, dtype=F64))
        self.w = nn.Parameter(torch.tensor(0.3, dtype=F64))
        self.c = self.encoder(torch.ones(1, dtype=F64))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return self.w * self.c * y


def method_of(gradient: str) -> str:
    return "reversible_dopri5" if gradient == "reversible" else "dopri5"


@pytest.mark.parametrize("gradient", ["adjoint", "quadrature", "checkpointed", "reversible"])
def test_what_was_computed_from_parameters_before_the_solve_passes_its_gradient_on_once(
    gradient: str,
) -> None:
    found = []
    for kind in ("backprop", gradient):
        f = Encoded()
        y0 = f.c * 2
        y1 = solve(f, y0, [0.0, 1.0], gradient=kind, method=method_of(kind), rtol=1e-9, atol=1e-9).ys[-1]
        found.append(torch.autograd.grad(y1.sum(), list(f.parameters())))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-9)


def test_each_sample_passes_it_on_once() -> None:
    found = []
    for gradient in ("backprop", "checkpointed"):
        f = Encoded()
        y1 = solve_batch(f, torch.ones(3, 1, dtype=F64), [0.0, 1.0], gradient=gradient).ys[-1]
        found.append(torch.autograd.grad(y1.sum(), list(f.parameters())))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("gradient", ["adjoint", "quadrature", "checkpointed", "reversible"])
def test_a_parameter_that_was_computed_from_another_has_its_gradient_once(gradient: str) -> None:
    w = torch.full((2,), 0.5, dtype=F64, requires_grad=True)
    v = w[:1]
    y1 = solve(
        lambda t, y: (w + v) * y,
        torch.ones(2, dtype=F64),
        [0.0, 1.0],
        gradient=gradient,
        method=method_of(gradient),
        params=(w, v),
    ).ys[-1]
    (grad,) = torch.autograd.grad(y1.sum(), w)
    assert grad.tolist() == pytest.approx([3 * math.e, math.e], rel=1e-5)


@pytest.mark.parametrize("gradient", ["backprop", "adjoint", "quadrature", "checkpointed"])
def test_a_slope_that_is_a_tensor_from_elsewhere_has_its_gradient(gradient: str) -> None:
    c = torch.ones(3, dtype=F64, requires_grad=True)
    y0 = torch.ones(3, dtype=F64)
    y1 = solve(lambda t, y: c, y0, [0.0, 2.0], gradient=gradient, params=()).ys[-1]
    assert torch.autograd.grad(y1.sum(), c)[0].tolist() == pytest.approx([2.0] * 3)


@pytest.mark.parametrize("gradient", ["adjoint", "quadrature", "checkpointed"])
def test_a_start_that_f_uses_too_has_both_its_gradients(gradient: str) -> None:
    y0 = torch.tensor([2.0], dtype=F64, requires_grad=True)
    y1 = solve(lambda t, y: y0 * y, y0, [0.0, 1.0], gradient=gradient, params=()).ys[-1]
    (grad,) = torch.autograd.grad(y1.sum(), y0)
    assert float(grad) == pytest.approx(3 * math.exp(2), rel=1e-4)


@pytest.mark.parametrize("gradient", ["adjoint", "quadrature", "checkpointed"])
def test_a_tensor_used_for_a_short_while_only_has_its_gradient(gradient: str) -> None:
    c = torch.tensor(0.5, dtype=F64, requires_grad=True)
    w = torch.tensor(-1.0, dtype=F64, requires_grad=True)

    def f(t: Tensor, y: Tensor) -> Tensor:
        return c * y if t > 0.97 else w * y

    y1 = solve(f, torch.ones(1, dtype=F64), [0.0, 1.0], gradient=gradient, params=(w,), dt0=0.2).ys[-1]
    (got,) = torch.autograd.grad(y1.sum(), c)
    assert float(got) == pytest.approx(0.03 * math.exp(-0.97 + 0.015), rel=2e-2)


def test_tensors_behind_compiled_code_are_refused_where_they_cannot_be_seen() -> None:
    class Hidden(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.tensor(0.5, dtype=F64))

        def forward(self, t: Tensor, y: Tensor) -> Tensor:
            return self.w * y

    hidden = torch.jit.script(Hidden())
    y0 = torch.ones(1, dtype=F64, requires_grad=True)
    for gradient in ("adjoint", "quadrature", "checkpointed"):
        y1 = solve(lambda t, y: hidden(t, y), y0, [0.0, 1.0], gradient=gradient, params=()).ys[-1]
        with pytest.raises(RuntimeError, match="name it in params"):
            y1.sum().backward()
        y1 = solve(hidden, y0, [0.0, 1.0], gradient=gradient).ys[-1]
        assert float(torch.autograd.grad(y1, hidden.w)[0]) == pytest.approx(math.exp(0.5), rel=1e-5)


@pytest.mark.parametrize("gradient", ["adjoint", "quadrature", "checkpointed", "reversible"])
@pytest.mark.parametrize("source", ["torch", "numpy", "python"])
def test_numbers_drawn_from_other_generators_are_noticed(gradient: str, source: str) -> None:
    generator = torch.Generator().manual_seed(0)
    draw = {
        "torch": lambda: torch.rand(1, dtype=F64, generator=generator),
        "numpy": lambda: float(np.random.rand()),
        "python": random.random,
    }[source]
    y0 = torch.ones(1, dtype=F64, requires_grad=True)
    method = "reversible_rk4" if gradient == "reversible" else "rk4"
    given = {"method": method, "dt0": 0.1, "params": ()}
    y1 = solve(lambda t, y: draw() * y, y0, [0.0, 1.0], gradient=gradient, **given).ys[-1]
    if gradient == "checkpointed" and source != "torch":
        assert float(torch.autograd.grad(y1, y0)[0]) == pytest.approx(float(y1.detach()), rel=1e-12)
        return
    with pytest.raises(RuntimeError, match="f draws random numbers"):
        y1.backward()


@pytest.mark.parametrize("batched", [False, True])
def test_an_f_that_writes_to_its_arguments_is_refused(batched: bool) -> None:
    def on_y(t: Tensor, y: Tensor) -> Tensor:
        slope = -y
        y.zero_()
        return slope

    def on_t(t: Tensor, y: Tensor) -> Tensor:
        t.add_(1.0)
        return -y

    call = solve_batch if batched else solve
    for f, name in ((on_y, "y"), (on_t, "t")):
        with pytest.raises(ValueError, match=f"writes to {name}"), torch.no_grad():
            call(f, torch.ones(2, 1, dtype=F64), [0.0, 1.0])


@pytest.mark.parametrize("batched", [False, True])
def test_a_slope_that_changes_its_shape_is_refused_at_any_evaluation(batched: bool) -> None:
    def f(t: Tensor, y: Tensor) -> Tensor:
        return -y if t.max() < 0.2 else -y.sum()

    call = solve_batch if batched else solve
    with pytest.raises(ValueError, match="it must match y"):
        call(f, torch.ones(2, 1, dtype=F64), [0.0, 1.0])
