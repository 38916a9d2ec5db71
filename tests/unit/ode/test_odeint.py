"""odeint and odeint_adjoint in place of torchdiffeq's."""

import pytest
import torch
import torchdiffeq
from helpers import F64, Mlp
from torch import Tensor

from odestudy import ode

FIXED = ["euler", "midpoint", "heun2", "heun3", "rk4"]


def values_and_gradients(odeint, **arguments) -> list[Tensor]:  # type: ignore[no-untyped-def]
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
