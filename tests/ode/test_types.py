"""Types of numbers beside float32 and float64, each against a closed form."""

import math

import pytest
import torch
from helpers import F64
from torch import Tensor, nn

from odestudy.ode import odeint, odeint_adjoint, odeint_event, solve, solve_batch

SAVING = ("adjoint", "quadrature", "checkpointed", "forward")
TURN = complex(math.cos(1), math.sin(1))


def turning(t: Tensor, y: Tensor) -> Tensor:
    """y' = i y: y = y0 exp(i t)."""
    return 1j * y


@pytest.mark.parametrize("method", ["dopri5", "dopri8", "rodas5p", "kvaerno3", "rk4", "scipy_solver"])
def test_a_complex_state_is_solved_as_it_is(method: str) -> None:
    y0 = torch.tensor([1.0, 1j], dtype=torch.complex128)
    dt0 = 0.01 if method == "rk4" else None
    with torch.no_grad():
        ys = solve(turning, y0, [0.0, 1.0], method=method, dt0=dt0, rtol=1e-8, atol=1e-10).ys
    assert ys.dtype == y0.dtype
    assert (ys[-1] - TURN * y0).abs().max() < 1e-6


@pytest.mark.parametrize("gradient", ["backprop", *SAVING])
def test_the_gradient_of_a_complex_state_is_torchs(gradient: str) -> None:
    y0 = torch.ones(1, dtype=torch.complex128, requires_grad=True)
    y = solve(turning, y0, [0.0, 1.0], gradient=gradient, params=()).ys[-1]
    (g,) = torch.autograd.grad(y.real.sum(), y0)
    assert complex(g) == pytest.approx(TURN.conjugate(), abs=1e-5)


def test_the_drop_in_takes_complex_states() -> None:
    y0, t = torch.ones(1, dtype=torch.complex64), torch.tensor([0.0, 0.5, 1.0])
    for ys in (odeint(turning, y0, t), odeint_adjoint(turning, y0, t, adjoint_params=())):
        assert ys.dtype == torch.complex64
        assert complex(ys[-1]) == pytest.approx(TURN, abs=1e-5)
    t, _ = odeint_event(turning, y0, t[0], event_fn=lambda t, y: y.real[0])
    assert float(t) == pytest.approx(math.pi / 2, rel=1e-5)


def test_a_tuple_of_types_keeps_them_and_f_sees_them() -> None:
    seen = set()

    def f(t: Tensor, y: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        seen.add(tuple(part.dtype for part in y))
        return turning(t, y[0]), -y[1], -y[2]

    y0 = (torch.ones(2, dtype=torch.complex128), torch.ones(3), torch.ones(1, dtype=torch.bfloat16))
    ys = solve(f, y0, [0.0, 1.0]).ys
    assert seen == {(torch.complex128, torch.float32, torch.bfloat16)}
    assert [y.dtype for y in ys] == [y.dtype for y in y0]
    assert [tuple(y.shape) for y in ys] == [(2, 2), (2, 3), (2, 1)]
    assert complex(ys[0][-1, 0]) == pytest.approx(TURN, abs=1e-4)
    assert float(ys[2][-1]) == pytest.approx(math.exp(-1), abs=5e-3)


def test_complex_tolerances_and_norms_are_of_the_callers_state() -> None:
    seen = set()

    def norm(r: Tensor) -> Tensor:
        seen.add((r.dtype, tuple(r.shape)))
        return r.abs().max()

    y0 = torch.ones(2, dtype=torch.complex128)
    atol = torch.tensor([1e-6, 1e-9], dtype=F64)
    y = solve(turning, y0, [0.0, 1.0], norm=norm, rtol=1e-6, atol=atol).ys[-1]
    assert seen == {(torch.complex128, (2,))}
    assert (y - TURN).abs().max() < 1e-5


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("method", ["dopri5", "rk4"])
def test_half_precision_is_advanced_in_float32(dtype: torch.dtype, method: str) -> None:
    y0 = torch.ones(2, dtype=dtype)
    ys = solve(lambda t, y: -y, y0, [0.0, 1.0], method=method, dt0=0.05, rtol=1e-3, atol=1e-4).ys
    assert ys.dtype == dtype
    assert ys[-1].float().tolist() == pytest.approx([math.exp(-1)] * 2, abs=float(torch.finfo(dtype).eps))


class Decay(nn.Module):
    """y' = W y with W = -1, as a linear layer, which autocast computes in half precision."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1, bias=False)
        nn.init.constant_(self.layer.weight, -1.0)

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        out = self.layer(y)
        assert out.dtype == torch.bfloat16, "f is under the caller's autocast, in backward too"
        return out


@pytest.mark.parametrize("gradient", ["backprop", *SAVING])
def test_autocast_is_for_f_alone_and_holds_in_backward(gradient: str) -> None:
    f, y0 = Decay(), torch.ones(1, 1, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ys = solve(f, y0, [0.0, 0.5, 1.0], gradient=gradient, rtol=1e-2, atol=1e-2).ys
        assert ys.dtype == torch.float32
    ys[-1].sum().backward()
    assert y0.grad is not None
    assert float(ys[-1]) == pytest.approx(math.exp(-1), abs=1e-2)
    assert float(y0.grad) == pytest.approx(math.exp(-1), abs=1e-2)
    assert float(f.layer.weight.grad) == pytest.approx(math.exp(-1), abs=1e-2)


def test_autocast_leaves_the_solver_as_precise_as_the_state() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = solve(lambda t, y: -y, torch.ones(1), [0.0, 0.5, 1.0], rtol=1e-5, atol=1e-6).ys[-1]
    assert float(y) == pytest.approx(math.exp(-1), abs=1e-5)


@pytest.mark.parametrize("gradient", ["backprop", *SAVING])
def test_a_slope_of_another_type_is_brought_to_the_states(gradient: str) -> None:
    y0 = torch.ones(1, requires_grad=True)
    y = solve(lambda t, y: -y.double(), y0, [0.0, 1.0], gradient=gradient, params=()).ys[-1]
    y.sum().backward()
    assert y.dtype == torch.float32
    assert float(y) == pytest.approx(math.exp(-1), abs=1e-5)
    assert float(y0.grad) == pytest.approx(math.exp(-1), abs=1e-5)


def test_samples_bring_slopes_to_the_states_type() -> None:
    y = solve_batch(lambda t, y: -y.double(), torch.ones(2, 1), [0.0, 1.0]).ys[-1]
    assert y.dtype == torch.float32
    assert y.flatten().tolist() == pytest.approx([math.exp(-1)] * 2, abs=1e-5)


def test_what_has_no_room_is_refused_in_one_sentence() -> None:
    with pytest.raises(
        ValueError, match=r"f\(t, y\) gave torch\.complex64, but y is torch\.float32: start from y0"
    ):
        solve(turning, torch.ones(1), [0.0, 1.0])
    with pytest.raises(
        ValueError, match=r"y0 must hold floating point numbers, real or complex, got torch\.int64"
    ):
        solve(turning, torch.ones(1, dtype=torch.int64), [0.0, 1.0])
    with pytest.raises(ValueError, match=r"float32 or float64, got torch\.complex64: use"):
        solve_batch(turning, torch.ones(1, 1, dtype=torch.complex64), [0.0, 1.0])
    w = nn.Parameter(torch.tensor(1j))
    y0 = torch.ones(1, dtype=torch.complex64)
    with pytest.raises(ValueError, match="this gradient has no room for complex parameters"):
        solve(lambda t, y: w * y, y0, [0.0, 1.0], gradient="adjoint", params=(w,))


@pytest.mark.parametrize("method", ["dopri5", "rk4", "dopri8", "auto", "kvaerno3"])
def test_an_empty_batch_has_an_empty_solution(method: str) -> None:
    y0 = torch.zeros(0, 2, dtype=F64)
    assert solve(lambda t, y: -y, y0, [0.0, 0.5, 1.0], method=method).ys.shape == (3, 0, 2)


@pytest.mark.parametrize("gradient", ["backprop", *SAVING])
def test_the_gradient_of_an_empty_batch_is_empty(gradient: str) -> None:
    f, y0 = Decay().double(), torch.zeros(0, 1, dtype=F64, requires_grad=True)
    f.forward = lambda t, y: f.layer(y)
    solve(f, y0, [0.0, 1.0], gradient=gradient).ys.sum().backward()
    assert y0.grad is not None
    assert y0.grad.shape == (0, 1)
    assert float(f.layer.weight.grad) == 0.0


@pytest.mark.parametrize("gradient", ["backprop", "checkpointed"])
def test_an_empty_batch_of_samples_has_an_empty_solution(gradient: str) -> None:
    y0 = torch.zeros(0, 2, dtype=F64, requires_grad=True)
    found = solve_batch(lambda t, y: -y, y0, [0.0, 1.0], gradient=gradient, params=())
    assert found.ys.shape == (2, 0, 2)
    assert found.samples is not None
    assert found.samples.nfe.shape == (0,)
    found.ys.sum().backward()
    assert y0.grad is not None
    assert y0.grad.shape == (0, 2)


@pytest.mark.parametrize("method", ["dopri5", "kvaerno3", "rodas5p", "scipy_solver", "trapezoid"])
def test_complex_numbers_lie_anywhere_in_a_tuple(method: str) -> None:
    y0 = (torch.ones(1, dtype=F64), torch.ones(1, dtype=torch.complex128))
    dt0 = 0.01 if method == "trapezoid" else None
    with torch.no_grad():
        ys = solve(lambda t, y: (-y[0], 1j * y[1]), y0, [0.0, 1.0], method=method, dt0=dt0).ys
    assert float(ys[0][-1]) == pytest.approx(math.exp(-1), rel=1e-3)
    assert complex(ys[1][-1]) == pytest.approx(TURN, rel=1e-3)


@pytest.mark.parametrize("method", ["implicit_euler", "trapezoid", "kvaerno3", "kvaerno5", "rodas5p", "auto"])
def test_the_adjoint_of_an_empty_batch_is_empty_by_implicit_methods(method: str) -> None:
    y0 = torch.ones(0, 3, dtype=F64, requires_grad=True)
    dt0 = None if method in ("kvaerno3", "kvaerno5", "rodas5p", "auto") else 0.1
    y = solve(lambda t, y: -y, y0, [0.0, 1.0], method=method, dt0=dt0, gradient="adjoint", params=()).ys
    assert torch.autograd.grad(y.sum(), y0)[0].shape == (0, 3)


def test_an_empty_batch_of_samples_meets_no_event() -> None:
    y0 = torch.ones(0, 3, dtype=F64)
    found = solve_batch(lambda t, y: -y, y0, [0.0, 1.0], event_fn=lambda t, y: y[:, 0] - 0.5)
    assert found.event_t.shape == (0,)
    assert found.ys.shape == (2, 0, 3)
