"""What f uses late in its span only, and what it has under two names: a right gradient or a refusal, never none."""

import math
from collections import deque
from collections.abc import Callable
from functools import partial
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


OUTSIDE: dict[str, Tensor] = {}


def places(c: Tensor) -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    """f with a tensor that it can come to in each way that Python has, used between 0.3 and 0.31 alone."""

    class Holder:
        __slots__ = ("kept",)
        shared = c

        def __init__(self) -> None:
            self.kept = deque([{"c": c}])

        def method(self, t: Tensor, y: Tensor) -> Tensor:
            return self.kept[0]["c"] * y if 0.3 <= t < 0.31 else 1.0 * y

        def of_class(self, t: Tensor, y: Tensor) -> Tensor:
            return self.shared * y if 0.3 <= t < 0.31 else 1.0 * y

    def given(t: Tensor, y: Tensor, factor: Tensor = c) -> Tensor:
        return factor * y if 0.3 <= t < 0.31 else 1.0 * y

    def of_global(t: Tensor, y: Tensor) -> Tensor:
        return OUTSIDE["c"] * y if 0.3 <= t < 0.31 else 1.0 * y

    def of_nothing(t: Tensor, y: Tensor, factor: Any) -> Tensor:
        return factor * y if 0.3 <= t < 0.31 else 1.0 * y

    OUTSIDE["c"] = c
    return {
        "closure": lambda t, y: c * y if 0.3 <= t < 0.31 else 1.0 * y,
        "closure of a closure": lambda t, y: given(t, y),
        "default": given,
        "method": Holder().method,
        "class": Holder().of_class,
        "global": of_global,
        "partial": partial(of_nothing, factor=c),
    }


@pytest.mark.parametrize("gradient", GRADIENTS[1:])
@pytest.mark.parametrize("place", [*places(torch.ones(()))])
def test_a_tensor_that_is_used_in_the_middle_only_is_refused_wherever_it_is_kept(
    place: str, gradient: Any
) -> None:
    c = torch.tensor(0.6, dtype=F64, requires_grad=True)
    y0 = torch.ones(1, dtype=F64, requires_grad=True)
    with pytest.raises((RuntimeError, ValueError), match=r"needs? a gradient"):
        solve(
            places(c)[place], y0, [0.0, 1.0], gradient=gradient, rtol=1e-4, dtmax=0.01, params=()
        ).ys.sum().backward()


def test_so_it_is_by_scipy_and_where_each_sample_has_its_own_steps() -> None:
    c = torch.tensor(0.6, dtype=F64, requires_grad=True)
    f, y0 = places(c)["closure"], torch.ones(1, dtype=F64)
    with pytest.raises(RuntimeError, match="not differentiated through"):
        solve(f, y0, [0.0, 1.0], method="scipy_solver", dtmax=0.005).ys.sum().backward()
    y0 = torch.ones(1, 1, dtype=F64, requires_grad=True)
    with pytest.raises(RuntimeError, match="needs a gradient"):
        solve_batch(
            f, y0, [0.0, 1.0], gradient="checkpointed", dtmax=0.01, rtol=1e-3, params=()
        ).ys.sum().backward()


class Beside(nn.Module):
    """y' = w y, or w c y where there is a c, with a net beside it that is no part of it."""

    def __init__(self, net: nn.Module, c: Tensor | None = None) -> None:
        super().__init__()
        self.w, self.beside, self.c = nn.Parameter(torch.tensor(0.5, dtype=F64)), [net], c

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return self.w * y if self.c is None else self.w * self.c * y


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_what_f_could_use_and_does_not_is_in_nobodys_way(gradient: Any) -> None:
    net, y0 = nn.Linear(1, 1, dtype=F64), torch.ones(1, dtype=F64)
    f = Beside(net)
    solve(f, y0, [0.0, 1.0], gradient=gradient).ys[-1].sum().backward()
    assert float(f.w.grad) == pytest.approx(math.exp(0.5), rel=1e-4)  # type: ignore[arg-type]  # a tensor
    assert net.weight.grad is None


@pytest.mark.parametrize("gradient", ["checkpointed", "adjoint", "quadrature"])
def test_nor_is_the_net_that_made_what_f_uses(gradient: Any) -> None:
    net, y0 = nn.Linear(1, 1, dtype=F64), torch.ones(1, dtype=F64)
    c = torch.tanh(net(y0))
    solve(Beside(net, c), y0, [0.0, 1.0], gradient=gradient).ys[-1].sum().backward()
    value = float(c.detach())
    right = (1 - value**2) * 0.5 * math.exp(0.5 * value)
    assert float(net.bias.grad) == pytest.approx(right, rel=1e-4)  # type: ignore[arg-type]  # a tensor


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
