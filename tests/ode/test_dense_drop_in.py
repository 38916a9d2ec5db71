"""odeint_dense: the solution as a function of time."""

import math

import pytest
import torch
from helpers import F64, rotated, rotation

from odestudy.ode import odeint_dense


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
