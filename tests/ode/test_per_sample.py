"""A batch whose samples have their own steps: each is solved as if alone, and costs no more than it needs."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from helpers import F64, rotation
from samples import MUS, RATES, Decay, VanDerPol, alone
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from odestudy.ode import TABLEAUS, PIDController, solve, solve_batch

PAIRS = [name for name, tableau in TABLEAUS.items() if tableau.adaptive]


@pytest.mark.parametrize("method", PAIRS)
def test_a_sample_takes_the_same_steps_alone_and_beside_others(method: str) -> None:
    t = torch.linspace(0, 1, 4, dtype=F64)
    arguments = {"method": method, "rtol": 1e-5, "atol": 1e-7}
    batch = solve_batch(VanDerPol(), MUS, t, **arguments)
    assert batch.status == "ok"
    for i, single in enumerate(alone(VanDerPol(), MUS, t, **arguments)):
        torch.testing.assert_close(batch.ys[:, i], single.ys[:, 0], rtol=1e-13, atol=1e-13)
        for count in ("nfe", "accepted", "rejected"):
            assert getattr(batch.samples, count)[i] == getattr(single.samples, count)[0]


@pytest.mark.parametrize("method", PAIRS)
def test_a_sample_takes_the_steps_of_a_solve_without_per_sample(method: str) -> None:
    t = torch.linspace(0, 1, 4, dtype=F64)
    arguments = {"method": method, "rtol": 1e-5, "atol": 1e-7}
    batch = solve_batch(VanDerPol(), MUS, t, **arguments)
    for i in range(len(MUS)):
        single = solve(VanDerPol(), MUS[i], t, **arguments)
        torch.testing.assert_close(batch.ys[:, i], single.ys, rtol=1e-10, atol=1e-12)
        assert batch.samples.accepted[i] == single.stats.accepted
        assert batch.samples.rejected[i] == single.stats.rejected
        assert abs(int(batch.samples.nfe[i]) - single.stats.nfe) <= len(t)  # f at a step's end, kept or not


@pytest.mark.parametrize("method", ["bosh3", "dopri5", "tsit5", "dopri8"])
def test_each_samples_error_follows_the_tolerance(method: str) -> None:
    t = torch.tensor([0.0, 0.3, 1.0], dtype=F64)
    exact = torch.exp(-RATES[:, None] * t[:, None, None])
    for tol in (1e-4, 1e-6, 1e-8):
        solution = solve_batch(
            Decay(RATES), torch.ones(4, 1, dtype=F64), t, method=method, rtol=tol, atol=tol
        )
        errors = (solution.ys.detach() - exact).abs().amax((0, 2))
        assert float(errors.max()) < 30 * tol


def test_tolerances_may_differ_between_samples() -> None:
    t, y0 = torch.tensor([0.0, 1.0], dtype=F64), torch.ones(2, 1, dtype=F64)
    allowed = torch.tensor([[1e-3], [1e-9]], dtype=F64)
    batch = solve_batch(Decay(torch.ones(2, dtype=F64)), y0, t, rtol=allowed, atol=allowed)
    for i, tol in enumerate((1e-3, 1e-9)):
        single = solve(Decay(torch.ones(1, dtype=F64)), y0[:1], t, rtol=tol, atol=tol)
        assert batch.samples.accepted[i] == single.stats.accepted


def test_a_finished_sample_is_evaluated_no_more() -> None:
    seen: list[int] = []

    def f(t: Tensor, y: Tensor) -> Tensor:
        assert t.shape == y.shape[:1]
        seen.append(len(y))
        return VanDerPol()(t, y)

    solution = solve_batch(f, MUS, [0.0, 3.0])
    assert sum(seen) == int(solution.samples.nfe.sum())
    assert len(seen) == solution.stats.nfe == int(solution.samples.nfe.max())
    assert int(solution.samples.nfe.min()) < solution.stats.nfe / 2
    assert seen == sorted(seen, reverse=True)


def test_each_sample_has_its_own_times_and_as_many_as_it_wants() -> None:
    nan = math.nan
    t = torch.tensor([[0.0, 1.0, 2.0], [1.0, 0.5, nan], [3.0, nan, nan]], dtype=F64)
    y0 = torch.tensor([[1.0, 0.0]] * 3, dtype=F64)
    solution = solve_batch(rotation, y0, t, rtol=1e-9, atol=1e-11)
    gone = t - t[:, :1]
    exact = torch.stack([torch.cos(gone), -torch.sin(gone)], -1).transpose(0, 1)
    torch.testing.assert_close(solution.ys, exact, rtol=0, atol=1e-7, equal_nan=True)
    assert solution.samples.statuses == ("ok", "ok", "ok")
    assert int(solution.samples.nfe[2]) == 0


def test_t_is_handed_over_for_each_sample() -> None:
    t = torch.tensor([[0.0, 1.0], [1.0, 3.0]], dtype=F64)
    ys = solve_batch(lambda t, y: y * torch.cos(t)[:, None], torch.ones(2, 1, dtype=F64), t).ys
    exact = torch.exp(torch.sin(t[:, 1]) - torch.sin(t[:, 0]))
    torch.testing.assert_close(ys[-1, :, 0], exact, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("shape", [(3,), (3, 2), (3, 2, 2)])
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_states_of_any_shape_and_precision_are_returned_as_such(shape: tuple[int, ...], dtype: Any) -> None:
    y0 = torch.ones(shape, dtype=dtype)
    solution = solve_batch(lambda t, y: -y, y0, [0.0, 0.5, 1.0])
    assert solution.ys.shape == (3, *shape)
    assert solution.ys.dtype == dtype
    torch.testing.assert_close(solution.ys[-1], y0 * math.exp(-1.0), rtol=1e-5, atol=1e-6)


def test_tuple_states_have_the_samples_first_and_the_largest_norm_counts() -> None:
    y0 = (torch.ones(3, 2, dtype=F64), torch.linspace(1, 2, 3, dtype=F64))
    pair = lambda t, y: (y[0][:, [1, 0]] * torch.tensor([1.0, -1.0], dtype=F64), -20 * y[1])
    batch = solve_batch(pair, y0, [0.0, 1.0])
    for i in range(3):
        one = lambda t, y: (y[0][[1, 0]] * torch.tensor([1.0, -1.0], dtype=F64), -20 * y[1])
        single = solve(one, (y0[0][i], y0[1][i]), [0.0, 1.0])
        assert batch.samples.accepted[i] == single.stats.accepted
        torch.testing.assert_close(batch.ys[0][:, i], single.ys[0])
        torch.testing.assert_close(batch.ys[1][:, i], single.ys[1])


@pytest.mark.parametrize("norm", ["linf", lambda r: r.abs().amax()])
def test_norms_are_taken_of_each_sample(norm: Any) -> None:
    batch = solve_batch(VanDerPol(), MUS, [0.0, 1.0], norm=norm)
    for i in range(len(MUS)):
        assert batch.samples.accepted[i] == solve(VanDerPol(), MUS[i], [0.0, 1.0], norm="linf").stats.accepted


def test_the_first_step_may_be_given_for_each_sample() -> None:
    dt0 = torch.tensor([1e-6, 0.1, 1e-3], dtype=F64)
    batch = solve_batch(VanDerPol(), MUS, [0.0, 1.0], dt0=dt0)
    for i in range(len(MUS)):
        single = solve(VanDerPol(), MUS[i], [0.0, 1.0], dt0=float(dt0[i]))
        assert batch.samples.nfe[i] == single.stats.nfe


@pytest.mark.parametrize("pid", [PIDController(), PIDController(0.4, 0.3, 0.1, factor_max=3.0)])
def test_the_controller_steers_many_as_it_steers_one(pid: PIDController) -> None:
    ratios = np.array([1e-12, 0.01, 0.9, 1.0, 7.0, 1e4, math.inf, math.nan])
    previous = np.stack([np.geomspace(1e-4, 1, 8), np.geomspace(1, 1e-4, 8)], 1)
    for growth in (True, False):
        many = pid.factors(ratios, previous, 5, np.full(8, growth))
        one = [pid.factor(r, tuple(p), 5, growth) for r, p in zip(ratios, previous, strict=True)]
        assert many.tolist() == pytest.approx(one, rel=1e-14)
    y0, t = torch.tensor([[2.0, 0.0, 5.0]], dtype=F64), [0.0, 1.0]
    batch = solve_batch(VanDerPol(), y0, t, controller=pid)
    assert batch.samples.accepted[0] == solve(VanDerPol(), y0[0], t, controller=pid).stats.accepted


def explode_where_positive(t: Tensor, y: Tensor) -> Tensor:
    return y * y


def test_a_failing_sample_stops_no_other_and_says_why() -> None:
    y0 = torch.tensor([[-1.0], [1.0], [math.nan], [-2.0]], dtype=F64)
    solution = solve_batch(explode_where_positive, y0, [0.0, 0.5, 2.0], throw=False)
    assert solution.samples.statuses == ("ok", "step_size_underflow", "non_finite", "ok")
    assert "the state itself is not finite" in solution.samples.messages[2]
    assert "the step size became too small at t = 1" in solution.samples.messages[1].replace("0.99999", "1")
    assert solution.status == "non_finite"
    assert "2 of 4 samples failed; sample 2" in solution.message
    healthy = solve_batch(explode_where_positive, y0[[0, 3]], [0.0, 0.5, 2.0], throw=False)
    torch.testing.assert_close(solution.ys[:, [0, 3]], healthy.ys)
    assert solution.ys[:, 1, 0].isnan().tolist() == [False, False, True]


def test_too_few_steps_are_the_status_of_those_that_needed_more() -> None:
    solution = solve_batch(VanDerPol(), MUS, [0.0, 1.0], max_steps=30, throw=False)
    assert solution.samples.statuses == ("ok", "max_steps", "ok")
    assert solution.status == "max_steps"
    assert "30 steps were not enough" in solution.message


def test_a_failing_sample_that_is_stiff_is_said_to_be() -> None:
    rates, y0 = torch.tensor([1.0, 1e5], dtype=F64), torch.ones(2, 1, dtype=F64)
    solution = solve_batch(Decay(rates), y0, [0.0, 10.0], max_steps=200, throw=False)
    assert solution.samples.statuses == ("ok", "max_steps")
    assert "the problem is stiff here" in solution.samples.messages[1]


def test_a_step_below_dtmin_ends_that_sample() -> None:
    solution = solve_batch(VanDerPol(), MUS, [0.0, 1.0], dtmin=0.02, throw=False)
    assert solution.samples.statuses[1] == "step_size_underflow"
    assert solution.samples.statuses[0] == "ok"


class Waits(TorchDispatchMode):
    """Counts what would wait for a device: values read by the host, and shapes that depend on values."""

    READS = ("_local_scalar_dense", "equal", "nonzero", "masked_select", "unique")

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += any(name in str(func) for name in self.READS)
        return func(*args, **(kwargs or {}))


def test_a_step_waits_for_the_device_once(monkeypatch: pytest.MonkeyPatch) -> None:
    waits, to_host = Waits(), torch.Tensor.cpu

    def cpu(x: Tensor) -> Tensor:
        waits.count += 1
        return to_host(x)

    monkeypatch.setattr(torch.Tensor, "cpu", cpu)
    with waits:
        solution = solve_batch(VanDerPol(), MUS, torch.linspace(0, 1, 9, dtype=F64))
    steps = (solution.stats.nfe - 2) // 6  # the first slope and step size cost two
    assert steps <= waits.count <= steps + 5


def never(t: Tensor, y: Tensor) -> Tensor:
    raise AssertionError("f was asked")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"method": "rk4"}, "known are: adaptive_heun, bosh3"),
        ({"method": "explicit_adams"}, "needs an explicit pair"),
        ({"gradient": "adjoint"}, "known are: backprop, checkpointed"),
        ({"dt0": 0.0}, "finite step sizes other than 0"),
        ({"dt0": torch.ones(3)}, r"of shape \[2\]"),
        ({"norm": "l1"}, "known are: linf, rms"),
        ({"t": torch.zeros(3, 2)}, r"shape \[T\] or \[2, T\]"),
        ({"t": torch.tensor([[0.0, math.nan, 1.0], [0.0, 1.0, 2.0]])}, r"t\[0\] is"),
        ({"y0": torch.tensor(1.0)}, "samples as first dimension"),
        ({"y0": (torch.ones(2), torch.ones(3))}, "samples as first dimension"),
        ({"rtol": torch.ones(5)}, "broadcast to y0's shape"),
    ],
)
def test_wrong_arguments_are_refused_before_f_is_asked(arguments: dict, says: str) -> None:
    given = {"y0": torch.ones(2, 2), "t": torch.tensor([0.0, 1.0]), **arguments}
    with pytest.raises(ValueError, match=says):
        solve_batch(never, given.pop("y0"), given.pop("t"), **given)


def test_an_f_that_keeps_all_samples_numbers_is_told_of_for_samples() -> None:
    rates = torch.tensor([[0.1], [50.0]])
    with pytest.raises(ValueError, match=r"for_samples\(samples\)"):
        solve_batch(lambda t, y: -rates * y, torch.ones(2, 1), [0.0, 1.0])


def test_torchode_gives_the_same_states_and_evaluates_all_until_the_last_is_done() -> None:
    torchode = pytest.importorskip("torchode")
    t = torch.linspace(0, 3, 7, dtype=F64).expand(3, -1).contiguous()
    calls = 0

    def f(t: Tensor, y: Tensor) -> Tensor:
        nonlocal calls
        calls += len(y)
        return VanDerPol()(t, y)

    ours = solve_batch(f, MUS, t, rtol=1e-8, atol=1e-8)
    assert calls == int(ours.samples.nfe.sum())
    calls = 0
    term = torchode.ODETerm(f)
    controller = torchode.IntegralController(atol=1e-8, rtol=1e-8, term=term)
    solver = torchode.AutoDiffAdjoint(torchode.Dopri5(term=term), controller)
    theirs = solver.solve(torchode.InitialValueProblem(y0=MUS, t_eval=t)).ys.transpose(0, 1)
    torch.testing.assert_close(ours.ys, theirs, rtol=1e-5, atol=1e-5)
    assert int(ours.samples.nfe.sum()) < 0.8 * calls
