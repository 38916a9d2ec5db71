"""odeint_dense, and what `solve` gives with dense=True: the solution as a function of time."""

import math
from typing import Any

import pytest
import torch
from helpers import F64, rotated, rotation

from odestudy.ode import odeint_dense, solve


@pytest.mark.parametrize("method", [None, "dopri8", "tsit5", "rodas5p"])
def test_the_dense_solution_is_right_at_every_time(method: str | None) -> None:
    y0 = torch.tensor([1.0, 0.0], dtype=F64)
    y = odeint_dense(rotation, y0, torch.tensor(0.0), torch.tensor(3.0), method=method)
    assert (y(0.7) - rotated(0.7)).abs().max() < 1e-6
    times = torch.linspace(0, 3, 13, dtype=F64)
    assert (y(times) - torch.stack([rotated(float(t)) for t in times])).abs().max() < 1e-6
    with pytest.raises(ValueError, match="outside the solve"):
        y(3.1)


def test_the_dense_solution_of_a_tuple_is_differentiated() -> None:
    a = torch.tensor(0.5, dtype=F64, requires_grad=True)
    y0 = (torch.ones((), dtype=F64), torch.zeros(2, dtype=F64))
    y = odeint_dense(lambda t, y: (a * y[0], torch.ones_like(y[1])), y0, 0.0, 2.0)
    first, second = y(1.5)
    (g,) = torch.autograd.grad(first, a)
    assert float(g) == pytest.approx(1.5 * math.exp(0.75), rel=1e-6)
    assert second.tolist() == pytest.approx([1.5, 1.5])


WAYS: list[dict[str, Any]] = [
    {"method": method} for method in ("dopri5", "dopri8", "bosh3", "kvaerno5", "rodas5p", "auto")
] + [{"method": "rk4", "dt0": 0.01}, {"method": "rk4", "grid": [0.0, 0.2, 0.25, 0.5, 1.0]}]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_its_gradient_in_the_times_asked_for_and_in_the_start_is_right(way: dict[str, Any]) -> None:
    """y = exp(t0 - t)."""
    t, asked = (torch.tensor(x, dtype=F64, requires_grad=True) for x in ([0.0, 1.0], [0.3, 0.8]))
    y0 = torch.ones(1, dtype=F64)
    found = solve(lambda t, y: -y, y0, t, dense=True, rtol=1e-9, atol=1e-11, **way).interpolant
    assert found is not None
    found(asked).sum().backward()
    rough = 1e-2 if "grid" in way else 1e-7
    slopes = torch.exp(-asked.detach())
    torch.testing.assert_close(asked.grad, -slopes, rtol=rough, atol=rough)
    assert t.grad is not None
    assert t.grad.tolist() == pytest.approx([float(slopes.sum()), 0.0], abs=rough)


def test_the_drop_ins_start_may_require_a_gradient() -> None:
    t0 = torch.tensor(0.0, requires_grad=True)
    odeint_dense(lambda t, y: -y, torch.ones(1, dtype=F64), t0, 1.0)(0.5).sum().backward()
    assert t0.grad is not None
    assert float(t0.grad) == pytest.approx(math.exp(-0.5), rel=1e-6)


@pytest.mark.parametrize("gradient", ["adjoint", "quadrature", "checkpointed", "reversible", "forward"])
def test_under_other_gradients_than_backprop_it_refuses_one(gradient: Any) -> None:
    y0 = torch.ones(2, dtype=F64, requires_grad=True)
    how: dict[str, Any] = {"dense": True, "gradient": gradient, "params": (), "rtol": 1e-5}
    method = "reversible_heun" if gradient == "reversible" else "dopri5"
    if gradient == "forward":
        with pytest.raises(ValueError, match="gradient 'forward' has no dense output"):
            solve(lambda t, y: -y, y0, [0.0, 1.0], method=method, **how)
        return
    found = solve(lambda t, y: -y, y0, [0.0, 1.0], method=method, **how)
    assert found.interpolant is not None
    value = found.interpolant(0.5)
    assert value.tolist() == pytest.approx([math.exp(-0.5)] * 2, rel=1e-3)
    with pytest.raises(RuntimeError, match="the interpolant has a gradient under gradient='backprop' only"):
        (value.sum() + found.ys[-1].sum()).backward()
    with torch.no_grad():
        found = solve(lambda t, y: -y, y0, [0.0, 1.0], method=method, **how)
    assert found.interpolant is not None
    assert not found.interpolant(0.5).requires_grad
