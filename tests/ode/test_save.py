"""What is kept of a solve: all states, the last one, or a function of each."""

import math
from typing import Any

import pytest
import torch
from helpers import F64, Mlp, rotated, rotation, saved_bytes
from torch import Tensor

from odestudy.ode import SolveError, solve

TIMES = [0.0, 0.4, 0.7, 1.0]


@pytest.mark.parametrize("method", ["dopri5", "rk4", "kvaerno3"])
@pytest.mark.parametrize("gradient", ["backprop", "adjoint", "checkpointed", "forward"])
def test_the_end_is_the_last_of_all_states_with_its_gradient(method: str, gradient: str) -> None:
    found = []
    for save in ("all", "end"):
        f, y0 = Mlp(), torch.ones(3, 2, dtype=F64, requires_grad=True)
        solution = solve(f, y0, TIMES, save=save, method=method, gradient=gradient, rtol=1e-7, atol=1e-7)
        y = solution.ys[-1] if save == "all" else solution.ys
        found.append((y, *torch.autograd.grad(y.sin().sum(), (y0, f.w1))))
        assert float(solution.ts.reshape(-1)[-1]) == 1.0
    exact = gradient != "adjoint"  # which begins anew from each state that is kept
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-8 if exact else 1e-3, atol=1e-8 if exact else 1e-5)


def speed(t: Tensor, y: Tensor) -> Tensor:
    return t + y.square().sum(-1)


@pytest.mark.parametrize("method", ["dopri5", "rk4", "scipy_solver"])
@pytest.mark.parametrize("gradient", ["backprop", "adjoint"])
def test_a_function_of_the_state_is_kept_in_its_place(method: str, gradient: str) -> None:
    y0 = torch.ones(3, 2, dtype=F64)
    with torch.no_grad():
        given: dict[str, Any] = {"method": method, "gradient": gradient, "params": ()}
        every = solve(Mlp(), y0, TIMES, **given).ys
        kept = solve(Mlp(), y0, TIMES, save=speed, **given).ys
    assert kept.shape == (4, 3)
    torch.testing.assert_close(
        kept, torch.stack([speed(torch.tensor(t), y) for t, y in zip(TIMES, every, strict=True)])
    )


def test_its_gradient_is_that_of_the_states() -> None:
    grads = []
    for gradient in ("backprop", "adjoint"):
        f = Mlp()
        ys = solve(
            f, torch.ones(3, 2, dtype=F64), TIMES, save=speed, gradient=gradient, rtol=1e-9, atol=1e-9
        ).ys
        grads.append(torch.autograd.grad(ys.sum(), f.w1)[0])
    torch.testing.assert_close(grads[0], grads[1], rtol=1e-5, atol=1e-7)


def test_tuples_in_and_out() -> None:
    y0 = (torch.ones(2, dtype=F64), torch.zeros(3, dtype=F64))

    def save(t: Tensor, y: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return y[0][0], y[1] > 0

    kept = solve(lambda t, y: (-y[0], y[1] + 1), y0, TIMES, save=save).ys
    assert kept[0].tolist() == pytest.approx([math.exp(-t) for t in TIMES], rel=1e-5)
    assert kept[1].tolist() == [[False] * 3] + [[True] * 3] * 3
    end = solve(lambda t, y: (-y[0], y[1] + 1), y0, TIMES, save="end").ys
    assert [tuple(part.shape) for part in end] == [(2,), (3,)]


def test_an_event_is_where_the_end_is() -> None:
    y0, event = torch.tensor([1.0, 0.0], dtype=F64), lambda t, y: y[0] - 0.5
    given: dict[str, Any] = {"event_fn": event, "rtol": 1e-9, "atol": 1e-9}
    assert torch.allclose(solve(rotation, y0, [0.0, 1.0], save="end", **given).ys, rotated(math.pi / 3))
    kept = solve(rotation, y0, [0.0, 1.0], save=lambda t, y: t, **given).ys
    assert kept.tolist() == pytest.approx([0.0, math.pi / 3])


def test_what_was_not_reached_is_nan_and_a_lost_fixed_step_solve_fails() -> None:
    y0 = torch.ones(1, dtype=F64)
    found = solve(lambda t, y: y**2, y0, [0.0, 0.5, 2.0], save=lambda t, y: 2 * y, throw=False)
    assert found.status != "ok"
    assert found.ys.isnan().flatten().tolist() == [False, False, True]
    with pytest.raises(SolveError, match="non_finite"):
        solve(lambda t, y: y**9, y0, [0.0, 9.0], method="euler", dt0=0.5, save=lambda t, y: t)


def test_states_that_are_not_kept_take_no_memory() -> None:
    y0 = torch.ones(10_000, dtype=F64)
    t = torch.linspace(0, 1, 101, dtype=F64)

    def bytes_of(save: Any) -> int:
        with torch.no_grad():
            return solve(lambda t, y: -y, y0, t, save=save).ys.untyped_storage().nbytes()

    assert bytes_of("all") == 101 * 80_000
    assert bytes_of(lambda t, y: y.mean()) == 101 * 8
    weight = torch.ones((), dtype=F64, requires_grad=True)
    assert saved_bytes(lambda: solve(lambda t, y: -weight * y, y0, t, save="end").ys) < 101 * 80_000


def test_another_save_is_refused() -> None:
    with pytest.raises(ValueError, match="save must be 'all', 'end' or a callable"):
        solve(rotation, torch.ones(2), TIMES, save="last")


@pytest.mark.parametrize("save", [lambda t, y: None, lambda t, y: y[: 1 + int(t > 0.5)]])
def test_what_makes_no_one_tensor_is_refused(save: Any) -> None:
    with pytest.raises(ValueError, match=r"save\(t, y\) must give tensors of the same shape"):
        solve(rotation, torch.ones(2, dtype=F64), TIMES, save=save)


def test_statistics_stay_as_they_were_read() -> None:
    f = Mlp()
    found = solve(f, torch.ones(2, dtype=F64), TIMES, gradient="adjoint")
    before = found.stats
    found.ys.sum().backward()
    assert before.nfe_backward == 0
    assert found.stats.nfe_backward > 0
    assert found.stats.nfe == before.nfe
