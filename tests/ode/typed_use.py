"""What a type checker sees of the package: `mypy tests/ode/typed_use.py` says where it is not what is asserted."""

from typing import assert_type

import torch
from torch import Tensor

from odestudy.ode import (
    Interpolant,
    Solution,
    Stats,
    odeint,
    odeint_adjoint,
    odeint_dense,
    solve,
    solve_batch,
)


def f(t: Tensor, y: Tensor) -> Tensor:
    return -y


def pair(t: Tensor, y: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return -y[0], -y[1]


def event(t: Tensor, y: Tensor) -> Tensor:
    return y[0]


Y0, T = torch.ones(2), torch.linspace(0, 1, 3)
TWO: tuple[Tensor, ...] = (torch.ones(2), torch.ones(3))


def one_tensor() -> None:
    assert_type(solve(f, Y0, T), Solution[Tensor])
    assert_type(solve(f, Y0, [0.0, 1.0], save="end", method="rk4", dt0=0.1).ys, Tensor)
    assert_type(solve(f, Y0, T).stats, Stats)
    assert_type(solve(f, Y0, T, dense=True).interpolant, Interpolant | None)
    assert_type(solve_batch(f, Y0[:, None], T).ys, Tensor)
    assert_type(solve_batch(f, Y0[:, None], T, save="end", dt0=0.1).ys, Tensor)
    assert_type(odeint(f, Y0, T), Tensor)
    assert_type(odeint(f, Y0, T, event_fn=event), tuple[Tensor, Tensor])
    assert_type(odeint_adjoint(f, Y0, T, adjoint_params=()), Tensor)
    assert_type(odeint_dense(f, Y0, 0.0, 1.0), Interpolant)


def a_tuple() -> None:
    assert_type(solve(pair, TWO, T).ys, tuple[Tensor, ...])
    assert_type(odeint(pair, TWO, T), tuple[Tensor, ...])
    assert_type(solve(pair, TWO, T, save=lambda t, y: y[0]).ys, Tensor)
    assert_type(solve(pair, TWO, T, save="end").ys, tuple[Tensor, ...])
    assert_type(solve_batch(pair, TWO, T, save="end").ys, tuple[Tensor, ...])
    assert_type(solve_batch(pair, TWO, T, save=lambda t, y: y[0]).ys, Tensor)


def what_is_mistyped_is_seen() -> None:
    solve(f, Y0, T, methd="rk4")  # type: ignore[call-overload]  # what mypy has to refuse
    solve(f, 1.0, T)  # type: ignore[call-overload]  # what mypy has to refuse
    solve_batch(f, Y0, T, dense=True)  # type: ignore[call-overload]  # what mypy has to refuse
    odeint(f, Y0, T, event_fn=1)  # type: ignore[call-overload]  # what mypy has to refuse
