"""How often the host waits for the device: never inside fixed steps, once for each attempted adaptive one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from helpers import F64, Mlp
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from odestudy.ode import odeint, odeint_adjoint, solve

READS = {Tensor.tolist, Tensor.numpy, Tensor.cpu, Tensor.nonzero}


class Waits(TorchDispatchMode):
    """Counts what would make the host wait for a GPU: numbers read from tensors, by item, float, bool or tolist."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


class Reads(TorchFunctionMode):
    """Adds the methods that read whole tensors, which do not dispatch."""

    def __init__(self, waits: Waits) -> None:
        super().__init__()
        self.waits = waits

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.waits.count += func in READS
        return func(*args, **(kwargs or {}))


@contextmanager
def counted_waits() -> Iterator[Waits]:
    with Waits() as waits, Reads(waits):
        yield waits


def test_the_count_sees_every_way_to_read_a_number() -> None:
    x = torch.ones(1)
    with counted_waits() as waits:
        x.item(), float(x), bool(x > 0), int(x), x.tolist(), x.numpy()
    assert waits.count == 6


@pytest.mark.parametrize("gradient", [False, True])
@pytest.mark.parametrize("method", ["euler", "rk4", "dopri5", "explicit_adams"])
def test_fixed_steps_never_wait(method: str, gradient: bool) -> None:
    f, y0, counts = Mlp(), torch.ones(3, 2, dtype=F64), []
    for steps in (4, 40):
        grid = [2 * i / steps for i in range(steps + 1)]
        with torch.set_grad_enabled(gradient), counted_waits() as waits:
            assert solve(f, y0, [0.0, 0.7, 2.0], method=method, grid=grid).status == "ok"
        counts.append(waits.count)
    assert counts[0] == counts[1]  # what remains is behind the last step, or reads times on the host


@pytest.mark.parametrize("by", [odeint, odeint_adjoint])
def test_nor_do_the_drop_ins_nor_a_backward_pass(by: Any) -> None:
    f, y0, t, counts = Mlp(), torch.ones(3, 2, dtype=F64), torch.tensor([0.0, 0.7, 2.0]), []
    for steps in (4, 40):
        with counted_waits() as waits:
            by(f, y0, t, method="rk4", options={"step_size": 2 / steps})[-1].sum().backward()
        counts.append(waits.count)
    assert counts[0] == counts[1]


@pytest.mark.parametrize("method", ["bosh3", "dopri5", "dopri8"])
def test_adaptive_steps_wait_once_for_each_attempt(method: str) -> None:
    f, y0, others = Mlp(), torch.ones(3, 2, dtype=F64), []
    for rtol in (1e-3, 1e-7, 1e-11):
        with counted_waits() as waits:
            stats = solve(f, y0, [0.0, 0.7, 2.0], method=method, rtol=rtol, atol=rtol).stats
        others.append(waits.count - stats.accepted - stats.rejected)
    assert len(set(others)) == 1  # at the start and at the end, however many steps lie between them


@pytest.fixture
def cuda() -> Iterator[torch.device]:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    yield torch.device("cuda")
    torch.cuda.set_sync_debug_mode("default")


@pytest.mark.gpu
def test_on_a_gpu_fixed_steps_are_queued_without_a_wait(cuda: torch.device) -> None:
    f, y0 = Mlp().to(cuda), torch.ones(3, 2, dtype=F64, device=cuda)
    grid = [0.05 * i for i in range(41)]
    seen: list[str] = []

    class Strict:
        """Forbids waits from the second observation on, and allows them again behind the last step."""

        def __call__(self, t: Tensor, y: Tensor) -> Tensor:
            torch.cuda.set_sync_debug_mode("error" if len(seen) < 4 * 40 - 1 else "default")
            seen.append("f")
            return f(t, y)

    assert solve(Strict(), y0, [0.0, 2.0], method="rk4", grid=grid).status == "ok"
    assert len(seen) == 4 * 40


@pytest.mark.gpu
@pytest.mark.parametrize("mode", [True, "reduce-overhead"])
def test_on_a_gpu_compiled_steps_give_the_numbers_of_eager_ones(cuda: torch.device, mode: bool | str) -> None:
    f, y0 = Mlp().to(cuda), torch.ones(3, 2, dtype=F64, device=cuda)
    found = []
    for compile in (False, mode, mode):
        ys = solve(f, y0, [0.0, 0.7, 2.0], compile=compile).raise_on_failure().ys
        found.append([ys, *torch.autograd.grad(ys.sin().sum(), list(f.parameters()))])
    for again in found[1:]:
        for a, b in zip(again, found[0], strict=True):
            torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)


@pytest.mark.gpu
def test_on_a_gpu_a_solve_on_a_grid_can_be_one_cuda_graph(cuda: torch.device) -> None:
    class Solved(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.f = Mlp()

        def forward(self, y0: Tensor) -> Tensor:
            return solve(self.f, y0, [0.1 * i for i in range(11)], method="rk4").ys

    solved, y0 = Solved().to(cuda), torch.ones(3, 2, dtype=F64, device=cuda)
    graphed = torch.cuda.make_graphed_callables(solved, (y0,))
    for start in (y0, 0.5 * y0):
        parts = []
        for run in (Solved().to(cuda), graphed):
            ys = run(start)
            parts.append([ys, *torch.autograd.grad(ys.sin().sum(), list(run.parameters()))])
        for a, b in zip(*parts, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)
