"""What is solved: three workloads, each with a float64 oracle of its gradient and its bare evaluations."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from odestudy.nets.images import ConvDynamics
from odestudy.ode import solve


@dataclass(frozen=True)
class Workload:
    """One training step: solve from y0 at times t, a loss, its gradient.

    Attributes:
        f: dynamics f(t, y), an nn.Module; y0: a tensor or a tuple of tensors; t: observation times.
        loss: from the states at all times to a scalar.
        rtol, atol: the tolerance at which all libraries solve.
        tightness: the oracle's tolerance, in units of rtol.
    """

    name: str
    f: nn.Module
    y0: Tensor | tuple[Tensor, ...]
    t: Tensor
    loss: Callable[[Tensor | tuple[Tensor, ...]], Tensor]
    rtol: float
    atol: float
    tightness: float = 1e-4

    def gradient(self) -> Tensor:
        """The parameters' gradient as it stands, one vector in float64."""
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.f.parameters()]
        return torch.cat([p.detach().double().reshape(-1) for p in parts])

    def oracle(self) -> Tensor:
        """The exact gradient of dopri8 in float64 at a far tighter tolerance."""
        twin, tight = WORKLOADS[self.name](torch.float64, self.t.device), self.tightness * self.rtol
        solution = solve(
            twin.f, twin.y0, twin.t, method="dopri8", rtol=tight, atol=tight, gradient="checkpointed"
        )
        twin.loss(solution.raise_on_failure().ys).backward()
        return twin.gradient()

    def floor(self, nfe: int) -> None:
        """As many bare evaluations of f, forward and backward, with nothing between them."""
        self._bare(nfe).backward()

    def floor_backward_s(self, nfe: int) -> float:
        """The backward pass's share of the floor, in seconds."""
        total = self._bare(nfe)
        begun = time.perf_counter()
        total.backward()
        if self.t.device.type == "cuda":
            torch.cuda.synchronize(self.t.device)
        return time.perf_counter() - begun

    def _bare(self, nfe: int) -> Tensor:
        self.f.zero_grad(set_to_none=True)
        outputs = [self.f(self.t[0], self.y0) for _ in range(nfe)]
        total = sum((o if isinstance(o, Tensor) else sum(x.sum() for x in o)).sum() for o in outputs)
        assert isinstance(total, Tensor), "at least one evaluation"
        return total


class MLP(nn.Module):
    """2-64-64-2 with tanh."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 2)
        )  # fmt: skip

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return self.net(y)


class ExactTraceFlow(nn.Module):
    """d(z, log p)/dt = (f, -tr df/dz) for an MLP 3-64-64-2, the trace by two vector-Jacobian products."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(3, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 2)
        )  # fmt: skip

    def forward(self, t: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        z, _ = state
        with torch.enable_grad():
            z = z if z.requires_grad else z.detach().requires_grad_()
            dz = self.net(torch.cat([z, t.to(z.dtype).expand(len(z), 1)], 1))
            rows = (torch.autograd.grad(dz[:, i].sum(), z, create_graph=True)[0][:, i] for i in range(2))
            trace = sum(rows)
        assert isinstance(trace, Tensor), "two rows"
        return dz, -trace[:, None]


def _mlp(batch: int) -> Callable[[torch.dtype, torch.device], Workload]:
    def make(dtype: torch.dtype, device: torch.device) -> Workload:
        torch.manual_seed(0)
        f, y0 = MLP().to(device, dtype), torch.randn(batch, 2).to(device, dtype)
        t = torch.linspace(0, 5, 32).to(device, dtype)
        return Workload(f"mlp{batch}", f, y0, t, lambda ys: ys.square().mean(), 1e-5, 1e-6)

    return make


def _conv(dtype: torch.dtype, device: torch.device) -> Workload:
    torch.manual_seed(0)
    f, y0 = ConvDynamics(64).to(device, dtype), torch.randn(128, 64, 6, 6).to(device, dtype)
    t = torch.tensor([0.0, 1.0]).to(device, dtype)
    return Workload("conv", f, y0, t, lambda ys: ys[-1].square().mean(), 1e-3, 1e-3, 1e-2)


def _cnf(dtype: torch.dtype, device: torch.device) -> Workload:
    torch.manual_seed(0)
    f, z0 = ExactTraceFlow().to(device, dtype), torch.randn(512, 2).to(device, dtype)
    t = torch.tensor([0.0, 1.0]).to(device, dtype)
    y0 = (z0, torch.zeros(512, 1).to(device, dtype))

    def loss(ys: Tensor | tuple[Tensor, ...]) -> Tensor:
        return ys[0][-1].square().sum(1).mean() - ys[1][-1].mean()

    return Workload("cnf", f, y0, t, loss, 1e-5, 1e-5)


WORKLOADS: dict[str, Callable[[torch.dtype, torch.device], Workload]] = {
    "mlp1": _mlp(1),
    "mlp256": _mlp(256),
    "conv": _conv,
    "cnf": _cnf,
}
