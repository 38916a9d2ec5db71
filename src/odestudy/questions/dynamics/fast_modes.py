"""What reaches the parameters of fast modes (claim C17)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from odestudy.integrate import Counted, Solver, integrate
from odestudy.learning.attempt import attempt
from odestudy.questions.dynamics.params import FastModes
from odestudy.runtime.outcome import Outcome, Row


class Decay(nn.Module):
    """dz_i/dt = -rate_i z_i."""

    def __init__(self, rates: Tensor) -> None:
        super().__init__()
        self.rates = nn.Parameter(rates)

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        return -self.rates * z


def fast_modes(p: FastModes, device: str) -> Outcome:
    """The loss gradient with respect to a fast decay rate, by each method, against its closed form.

    The data are a slow and a fast mode at times of the slow one; the model's rates are `offset` off. Rows `runs`:
    one for each k, with the norm of the gradient of the fast rate, exact and as computed.
    """
    rows = []
    t = torch.linspace(0, p.horizon, p.points, dtype=torch.float64)
    for k in p.ks:
        rates = torch.tensor([1.0, float(k)], dtype=torch.float64)
        wrong = rates * (1 + p.offset)
        exact = _gradient(lambda r: torch.exp(-t[:, None] * r), wrong, rates, t)
        row: Row = {"seed": p.seeds[0], "k": k, "exact_gradient": float(exact[1].abs())}
        rows.append(row | attempt(_fast_mode, wrong, rates, t, exact, p))
    return Outcome({"runs": rows})


def _fast_mode(wrong: Tensor, rates: Tensor, t: Tensor, exact: Tensor, p: FastModes) -> Row:
    model = Decay(wrong.clone())
    counted = Counted(model, p.max_nfe)
    solver = Solver("odestudy", p.method, p.rtol, p.atol, p.step, max_nfe=p.max_nfe)
    z = integrate(counted, torch.ones(2, dtype=t.dtype), t, solver)
    _loss(z, rates, t).backward()
    found = model.rates.grad
    assert found is not None, "the loss depends on the rates"
    return {
        "computed_gradient": float(found[1].abs()),
        "nfe_forward": counted.take()[0],
        "gradient_error": float((found[1] - exact[1]).abs() / exact[1].abs()),
    }


def _loss(z: Tensor, rates: Tensor, t: Tensor) -> Tensor:
    return (z - torch.exp(-t[:, None] * rates)).square().mean()


def _gradient(states: Any, wrong: Tensor, rates: Tensor, t: Tensor) -> Tensor:
    r = wrong.clone().requires_grad_()
    (found,) = torch.autograd.grad(_loss(states(r), rates, t), r)
    return found
