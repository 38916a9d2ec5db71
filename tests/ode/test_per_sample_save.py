"""What solve_batch keeps: all states, each sample's last one, or a function of each."""

import math
from typing import Any

import pytest
import torch
from helpers import F64
from torch import Tensor, nn

from odestudy.ode import solve_batch

NAN = float("nan")
TIMES = {
    "shared": torch.tensor([0.0, 0.4, 1.0], dtype=F64),
    "own": torch.tensor([[0.0, 0.4, 1.0], [1.0, 0.2, NAN], [0.5, 0.5, NAN], [0.3, NAN, NAN]], dtype=F64),
}
COUNTS = {"shared": [3, 3, 3, 3], "own": [3, 2, 2, 1]}


class Decay(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rate = nn.Parameter(torch.tensor(0.8, dtype=F64))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return -self.rate * y * (1 + t[:, None])


def start() -> Tensor:
    return torch.arange(1.0, 9.0, dtype=F64).reshape(4, 2)


@pytest.mark.parametrize("kind", TIMES)
@pytest.mark.parametrize("gradient", ["backprop", "checkpointed"])
@pytest.mark.parametrize("moved", [False, True])
def test_the_end_is_each_samples_last_state_with_its_gradient(kind: str, gradient: str, moved: bool) -> None:
    if moved and kind == "own":
        pytest.skip("a sample at rest has no gradient in its times")
    found = []
    for save in ("all", "end"):
        f, y0, t = Decay(), start().requires_grad_(), TIMES[kind].clone().requires_grad_(moved)
        solution = solve_batch(f, y0, t, save=save, gradient=gradient, rtol=1e-9, atol=1e-9)
        y = solution.ys
        if save == "all":
            y = y[[count - 1 for count in COUNTS[kind]], range(4)]
        found.append((y, *torch.autograd.grad(y.sin().sum(), (y0, f.rate, *([t] if moved else [])))))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-8)
    last = [1.0] * 4 if kind == "shared" else [1.0, 0.2, 0.5, 0.3]
    assert solution.ts.expand(4).tolist() == last


def speed(t: Tensor, y: Tensor) -> Tensor:
    return t + y.square().sum(-1)


@pytest.mark.parametrize("kind", TIMES)
@pytest.mark.parametrize("gradient", ["backprop", "checkpointed"])
def test_a_function_of_the_state_is_kept_in_its_place(kind: str, gradient: str) -> None:
    given: dict[str, Any] = {"gradient": gradient, "rtol": 1e-9, "atol": 1e-9}
    grads = []
    for save in ("all", speed):
        f = Decay()
        ys = solve_batch(f, start(), TIMES[kind], save=save, **given).ys
        if save == "all":
            times = TIMES[kind].expand(4, 3).T
            ys = torch.stack([speed(t, y) for t, y in zip(times, ys, strict=True)])
        grads.append((ys.detach(), torch.autograd.grad(ys.nan_to_num().sum(), f.rate)[0]))
    torch.testing.assert_close(grads[0], grads[1], equal_nan=True)
    assert grads[1][0].shape == (3, 4)


def test_tuples_in_and_out_and_kinds_without_nan() -> None:
    y0 = (torch.ones(2, 1, dtype=F64), torch.zeros(2, 3, dtype=F64))

    def save(t: Tensor, y: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return y[0][:, 0], y[1] > 0

    t = torch.tensor([[0.0, 1.0], [0.0, NAN]], dtype=F64)
    kept = solve_batch(lambda t, y: (-y[0], y[1] + 1), y0, t, save=save).ys
    assert kept[0].tolist()[0] == [1.0, 1.0]
    assert kept[0][1, 0].item() == pytest.approx(math.exp(-1), rel=1e-5)
    assert kept[0][1, 1].isnan()
    assert kept[1].tolist() == [[[False] * 3] * 2, [[True] * 3, [False] * 3]]
    end = solve_batch(lambda t, y: (-y[0], y[1] + 1), y0, t, save="end").ys
    assert [tuple(part.shape) for part in end] == [(2, 1), (2, 3)]


def test_the_end_of_an_event_is_the_state_there() -> None:
    given: dict[str, Any] = {"event_fn": lambda t, y: y[:, 0] - 0.5, "rtol": 1e-9, "atol": 1e-9}
    y0 = torch.tensor([[1.0], [2.0]], dtype=F64)
    found = solve_batch(lambda t, y: -y, y0, [0.0, 1.0], save="end", **given)
    assert found.ys[:, 0].tolist() == pytest.approx([0.5, 0.5])
    assert found.ts.tolist() == pytest.approx([math.log(2), math.log(4)])
    kept = solve_batch(lambda t, y: -y, y0, [0.0, 1.0], save=lambda t, y: t, **given).ys
    assert kept.tolist() == [[0.0, 0.0], pytest.approx([math.log(2), math.log(4)])]


def test_a_function_that_keeps_something_of_each_sample_is_asked_for_some_of_them() -> None:
    class Read:
        def __call__(self, t: Tensor, y: Tensor) -> Tensor:
            raise AssertionError("asked for all samples at once")

        def for_samples(self, index: Tensor) -> Any:
            return lambda t, y: y[:, 0] * 10 + index

    kept = solve_batch(lambda t, y: 0 * y, start(), TIMES["own"], save=Read()).ys
    assert kept[0].tolist() == [10.0, 31.0, 52.0, 73.0]
    assert kept[1].nan_to_num().tolist() == [10.0, 31.0, 52.0, 0.0]


def test_states_that_are_not_kept_take_no_memory() -> None:
    y0, t = torch.ones(2, 10_000, dtype=F64), torch.linspace(0, 1, 101, dtype=F64)

    def bytes_of(save: Any) -> int:
        return solve_batch(lambda t, y: -y, y0, t, save=save).ys.untyped_storage().nbytes()

    assert bytes_of("all") == 101 * 160_000
    assert bytes_of(lambda t, y: y.mean(1)) == 101 * 16
    assert bytes_of("end") <= 2 * 160_000


@pytest.mark.parametrize("save", ["last", 3])
def test_another_save_is_refused(save: Any) -> None:
    with pytest.raises(ValueError, match="save must be 'all', 'end' or a callable"):
        solve_batch(lambda t, y: -y, torch.ones(2, 1), [0.0, 1.0], save=save)


def test_a_result_without_a_row_for_each_sample_is_refused() -> None:
    with pytest.raises(ValueError, match=r"save\(t, y\) gave \(\); its first dimension must be y's, 2"):
        solve_batch(lambda t, y: -y, torch.ones(2, 1), [0.0, 1.0], save=lambda t, y: y.mean())
