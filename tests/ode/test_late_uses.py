"""What f uses late in its span only, and what it has under two names: a right gradient or a refusal, never none."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from helpers import F64
from torch import Tensor, nn

from odestudy.ode import Solution, solve, solve_batch

GRADIENTS = ("backprop", "checkpointed", "adjoint", "quadrature", "forward")


class Late(nn.Module):
    """y' = w y, and from `since` on y' = w c y, c no parameter."""

    def __init__(self, since: float, c: Tensor) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(1.0, dtype=F64))
        self.since, self.hidden = since, [c]

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        late = torch.as_tensor(t >= self.since)
        return self.w * y if not bool(late.any()) else self.w * self.hidden[0] * y


def check(since: float, solved: Callable[[Late], Solution]) -> None:
    """The gradient in c is right, or there is a refusal."""
    c, refusal = torch.tensor(0.6, dtype=F64, requires_grad=True), None
    try:
        solved(Late(since, c)).ys[-1].sum().backward()
    except (RuntimeError, ValueError) as error:
        refusal = str(error)
    if refusal:
        assert "need a gradient" in refusal or "needs a gradient" in refusal
    else:
        right = (1 - since) * math.exp(since + 0.6 * (1 - since))
        assert c.grad is not None
        assert float(c.grad) == pytest.approx(right, rel=2e-2)


@pytest.mark.parametrize("gradient", [*GRADIENTS, "reversible"])
@pytest.mark.parametrize("since", [0.1, 0.5, 0.9, 0.98])
def test_a_tensor_that_is_used_late_has_its_gradient_or_is_refused(gradient: Any, since: float) -> None:
    y0 = torch.ones(1, dtype=F64)
    how: Any = (
        {"jump_t": [since]} if gradient != "reversible" else {"method": "reversible_heun", "dtmax": 0.01}
    )
    check(since, lambda f: solve(f, y0, [0.0, 1.0], gradient=gradient, rtol=1e-4, **how))


@pytest.mark.parametrize("since", [0.9, 0.98])
def test_so_it_is_where_each_sample_has_its_own_steps(since: float) -> None:
    y0 = torch.ones(1, 1, dtype=F64)
    check(since, lambda f: solve_batch(f, y0, [0.0, since, 1.0], gradient="checkpointed", dtmax=0.02))


class Twice(nn.Module):
    """One layer under two names, and its weight in another layer, too: y' = 3 w y."""

    def __init__(self) -> None:
        super().__init__()
        self.one = self.same = nn.Linear(1, 1, bias=False, dtype=F64)
        self.other = nn.Linear(1, 1, bias=False, dtype=F64)
        self.other.weight = self.one.weight

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return self.one(y) + self.same(y) + self.other(y)


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_what_a_module_has_under_two_names_has_its_gradient_once_and_stays_in_its_place(
    gradient: Any,
) -> None:
    f = Twice()
    weight = f.one.weight
    nn.init.constant_(weight, 0.2)
    solve(f, torch.ones(1, dtype=F64), [0.0, 1.0], gradient=gradient).ys[-1].sum().backward()
    assert f.one.weight is f.other.weight is weight
    assert weight.grad is not None
    assert float(weight.grad) == pytest.approx(3 * math.exp(0.6), rel=1e-3)
