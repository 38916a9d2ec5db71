"""Devices without float64: no float64 tensor is made in a solve of float32.

There is none here, so the host takes its place: every float64 tensor is refused while it does.
"""

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from helpers import rotation
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from odestudy.ode import METHODS, odeint, odeint_adjoint, odeint_dense, odeint_event, solve, solve_batch
from odestudy.ode._precision import wide

WITH_EVENTS = ("dopri5", "kvaerno5", "rodas5p", "auto")
GRADIENTS = ("backprop", "adjoint", "quadrature", "checkpointed", "forward")
GRID = [i / 20 for i in range(21)]


class Narrow(TorchDispatchMode):
    """Raises, as such a device does, where a float64 tensor is made."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if any(isinstance(x, Tensor) and x.dtype == torch.float64 for x in tree_leaves(result)):
            raise TypeError(f"this device has no float64, which {func} makes")
        return result


@pytest.fixture(autouse=True)
def _narrow() -> Iterator[None]:
    wide.cache_clear()
    with Narrow():
        yield
    wide.cache_clear()


class Turning(nn.Module):
    """y' = r (y2, -y1)."""

    def __init__(self) -> None:
        super().__init__()
        self.rate = nn.Parameter(torch.ones(()))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        assert t.dtype == torch.float32
        return self.rate * rotation(t, y)


def right(y: Tensor, t: float = 1.0, tol: float = 2e-3) -> bool:
    return y.tolist() == pytest.approx([math.cos(t), -math.sin(t)], abs=tol)


def start() -> Tensor:
    return torch.tensor([1.0, 0.0])


def times() -> Tensor:
    return torch.tensor([0.0, 0.33, 1.0])


def test_the_host_has_no_float64_meanwhile() -> None:
    with pytest.raises(TypeError, match="no float64"):
        torch.tensor([0.5], dtype=torch.float64)
    assert wide(torch.device("cpu")) == torch.float32


@pytest.mark.parametrize("steps", [{}, {"grid": GRID}])
@pytest.mark.parametrize("method", METHODS)
def test_every_method(method: str, steps: dict[str, Any]) -> None:
    if method == "scipy_solver":
        steps = {}
    with torch.no_grad():
        ys = solve(Turning(), start(), times(), method=method, rtol=1e-5, atol=1e-5, **steps).ys
    assert right(ys[-1], tol=0.5 if "euler" in method and not steps else 0.05)


@pytest.mark.parametrize("moving", [False, True])
@pytest.mark.parametrize("method", ["dopri5", "bosh3", "rk4", "kvaerno3", "rodas5p", "auto"])
@pytest.mark.parametrize("gradient", GRADIENTS)
def test_every_gradient(gradient: str, method: str, moving: bool) -> None:
    if gradient == "quadrature" and method in ("kvaerno3", "rodas5p", "auto"):
        pytest.skip("quadrature needs an explicit method")
    steps: dict[str, Any] = {"grid": GRID} if method == "rk4" else {"rtol": 1e-5, "atol": 1e-5}
    f, y0, t = Turning(), start().requires_grad_(), times().requires_grad_(moving)
    y = solve(f, y0, t, method=method, gradient=gradient, **steps).ys[-1, 0]
    wanted = (f.rate, y0, t) if moving else (f.rate, y0)
    g = torch.autograd.grad(y, wanted)
    assert float(g[0]) == pytest.approx(-math.sin(1), abs=2e-3)
    assert g[1].tolist() == pytest.approx([math.cos(1), math.sin(1)], abs=2e-3)
    if moving:
        assert float(g[2][-1]) == pytest.approx(-math.sin(1), abs=2e-3)


def test_the_reversible_gradient() -> None:
    f, steps = Turning(), {"method": "reversible_dopri5", "rtol": 1e-5, "atol": 1e-5}
    solve(f, start(), times(), gradient="reversible", **steps).ys[-1, 0].backward()
    assert float(f.rate.grad) == pytest.approx(-math.sin(1), abs=2e-3)


@pytest.mark.parametrize("by", [odeint, odeint_adjoint])
@pytest.mark.parametrize("options", [{}, {"dtype": torch.float32}])
def test_the_drop_in(by: Any, options: dict[str, Any]) -> None:
    f = Turning()
    seen: list[Tensor] = []
    f.callback_step = lambda t, y, dt: seen.append(t)  # type: ignore[assignment]  # as a user may
    y = by(f, start(), times(), rtol=1e-5, atol=1e-5, options=options)[-1]
    y[0].backward()
    assert right(y)
    assert float(f.rate.grad) == pytest.approx(-math.sin(1), abs=2e-3)
    assert seen[0].dtype == torch.float32


def test_the_drop_ins_fixed_steps_events_and_dense_output() -> None:
    def grid(f: Any, y0: Tensor, t: Tensor) -> Tensor:
        return torch.linspace(float(t[0]), float(t[-1]), 21)

    for options in ({"step_size": 0.05}, {"grid_constructor": grid}):
        assert right(odeint(Turning(), start(), times(), method="rk4", options=options)[-1])
    t, _ = odeint_event(
        Turning(), start(), torch.tensor(0.0), event_fn=lambda t, y: y[0], rtol=1e-5, atol=1e-5
    )
    t.backward()
    assert t.item() == pytest.approx(math.pi / 2, abs=1e-3)
    assert right(odeint_dense(Turning(), start(), 0.0, 1.0, rtol=1e-5, atol=1e-5)(0.4), 0.4)


@pytest.mark.parametrize("method", WITH_EVENTS)
def test_events_and_dense_output(method: str) -> None:
    found = solve(
        Turning(),
        start(),
        times(),
        method=method,
        event_fn=lambda t, y: y[0],
        dense=True,
        rtol=1e-5,
        atol=1e-5,
    )
    assert float(found.event_t) == pytest.approx(math.pi / 2, abs=2e-3)
    assert found.interpolant is not None
    assert right(found.interpolant(torch.tensor([0.2, 0.9]))[1], 0.9)


@pytest.mark.parametrize("gradient", ["backprop", "checkpointed"])
@pytest.mark.parametrize("method", ["dopri5", "dopri8"])
def test_batches(method: str, gradient: str) -> None:
    f, y0, t = Turning(), start().expand(3, 2), times().requires_grad_()
    f.forward = lambda t, y: f.rate * rotation(t, y)  # type: ignore[method-assign]  # as a user may
    ys = solve_batch(f, y0, t, method=method, gradient=gradient, rtol=1e-5, atol=1e-5).ys
    ys[-1, 0, 0].backward()
    assert all(right(y) for y in ys[-1])
    assert float(t.grad[-1]) == pytest.approx(-math.sin(1), abs=2e-3)
    found = solve_batch(f, y0, times(), method=method, event_fn=lambda t, y: y[:, :1], rtol=1e-5, atol=1e-5)
    assert found.event_t.tolist() == pytest.approx([math.pi / 2] * 3, abs=2e-3)
