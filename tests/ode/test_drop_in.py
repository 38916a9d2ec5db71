"""Two users' training scripts, in the manner of torchdiffeq's documented examples, run with one import changed."""

from __future__ import annotations

from typing import Any

import pytest
import torch

SPIRAL = """
from {package} import odeint, odeint_adjoint
import torch
from torch import nn

torch.manual_seed(0)
true_a = torch.tensor([[-0.1, 2.0], [-2.0, -0.1]])
t = torch.linspace(0.0, 5.0, 100)
y0 = torch.tensor([[2.0, 0.0]])

class Truth(nn.Module):
    def forward(self, t, y):
        return (y**3) @ true_a

with torch.no_grad():
    truth = odeint(Truth(), y0, t, method="dopri5")

class Learnt(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 20), nn.Tanh(), nn.Linear(20, 2))
        for m in self.net:
            if isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, std=0.1)
                nn.init.zeros_(m.bias)

    def forward(self, t, y):
        return self.net(y**3)

f = Learnt()
optimizer = torch.optim.RMSprop(f.parameters(), lr=1e-3)
losses = []
for step in range(12):
    starts = torch.randint(0, 90, (16,))
    batch_y0, batch_t = truth[starts], t[:10]
    batch_y = torch.stack([truth[starts + i] for i in range(10)])
    optimizer.zero_grad()
    predicted = odeint_adjoint(f, batch_y0, batch_t, rtol=1e-6, atol=1e-8)
    loss = (predicted - batch_y).abs().mean()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
"""

CNF = """
from {package} import odeint_adjoint as odeint
import torch
from torch import nn

torch.manual_seed(0)

class Flow(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 2))

    def forward(self, t, states):
        z, _ = states
        with torch.enable_grad():
            z = z.requires_grad_(True)
            dz = self.net(torch.cat([z, t.expand(len(z), 1)], 1))
            trace = sum(torch.autograd.grad(dz[:, i].sum(), z, create_graph=True)[0][:, i] for i in range(2))
        return dz, -trace[:, None]

flow = Flow()
optimizer = torch.optim.Adam(flow.parameters(), lr=1e-2)
base = torch.distributions.MultivariateNormal(torch.zeros(2), 0.1 * torch.eye(2))
losses = []
for step in range(8):
    angle = 2 * torch.pi * torch.rand(64, 1)
    x = torch.cat([angle.cos(), angle.sin()], 1) + 0.05 * torch.randn(64, 2)
    optimizer.zero_grad()
    z_t, log_t = odeint(
        flow, (x, torch.zeros(64, 1)), torch.tensor([10.0, 0.0]), atol=1e-5, rtol=1e-5, method="dopri5"
    )
    loss = -(base.log_prob(z_t[-1]) - log_t[-1].squeeze(1)).mean()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
"""


def losses_of(script: str, package: str) -> list[float]:
    names: dict[str, Any] = {}
    exec(script.replace("{package}", package), names)  # the test's own text, one word changed
    return names["losses"]


@pytest.mark.parametrize("script", [SPIRAL, CNF], ids=["spiral", "cnf"])
def test_a_training_script_runs_with_the_import_changed_and_learns_the_same(script: str) -> None:
    ours, theirs = losses_of(script, "odestudy.ode"), losses_of(script, "torchdiffeq")
    assert ours == pytest.approx(theirs, rel=2e-3)
    assert min(ours[-3:]) < ours[0]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize("gradient", ["backprop", "adjoint", "quadrature", "checkpointed"])
def test_a_solve_on_a_gpu_gives_the_cpus_result(gradient: str) -> None:
    from odestudy.ode import solve

    results = []
    for device in ("cpu", "cuda"):
        torch.manual_seed(0)
        net = torch.nn.Linear(3, 3).double().to(device)
        f = torch.nn.Module()
        f.net = net
        f.forward = lambda t, y, net=net: torch.tanh(net(y))
        y0 = torch.ones(4, 3, dtype=torch.float64, device=device, requires_grad=True)
        ys = solve(f, y0, [0.0, 0.5, 1.0], gradient=gradient, rtol=1e-8, atol=1e-8).ys
        ys[-1].sum().backward()
        results.append([x.detach().cpu() for x in (ys, y0.grad, net.weight.grad)])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-7, atol=1e-9)
