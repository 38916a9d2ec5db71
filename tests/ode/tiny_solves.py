"""A dozen tiny solves, for the version of the solver's numbers, and the file of what they gave at that version.

python tests/ode/tiny_solves.py
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from odestudy.ode import NUMBERS, Solution, solve, solve_batch

TARGET = Path(__file__).parent / "tiny_solves.json"
ADAPTIVE = ["adaptive_heun", "bosh3", "dopri5", "tsit5", "dopri8", "kvaerno3", "kvaerno5", "rodas5p", "auto"]
FIXED = ["euler", "rk4", "explicit_adams", "implicit_adams", "implicit_midpoint", "reversible_heun"]
GRADIENTS = {
    "backprop": "dopri5", "checkpointed": "dopri5", "forward": "dopri5", "adjoint": "dopri5", "adjoint_seminorm": "dopri5",
    "quadrature": "dopri5", "reversible": "reversible_dopri5",
}  # fmt: skip


class VanDerPol(nn.Module):
    """x'' = mu (1 - x^2) x' - x."""

    def __init__(self) -> None:
        super().__init__()
        self.mu = nn.Parameter(torch.tensor(1.5, dtype=torch.float64))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        x, v = y.unbind(-1)
        return torch.stack([v, self.mu * (1 - x * x) * v - x], -1)


def results() -> dict[str, dict[str, Any]]:
    """What each solve gives, as numbers, and its evaluations."""
    times = torch.tensor([0.0, 0.7, 2.0], dtype=torch.float64)
    grid = torch.linspace(0, 2, 41, dtype=torch.float64)
    found = {}
    for method in ADAPTIVE:
        found[method] = _solved(times, method=method, rtol=1e-5, atol=1e-7)
    for method in FIXED:
        options = {"max_order": 4} if method.endswith("adams") else None
        found[method] = _solved(grid, method=method, grid=grid, rtol=1e-9, atol=1e-11, options=options)
    found["per_sample"] = _solved(times, rtol=1e-5, atol=1e-7, by=solve_batch)
    for gradient, method in GRADIENTS.items():
        norm = {"adjoint_norm": "seminorm"} if gradient == "adjoint_seminorm" else {}
        way = gradient.removesuffix("_seminorm")
        found[f"gradient {gradient}"] = _solved(
            times, method=method, gradient=way, rtol=1e-5, atol=1e-7, **norm
        )
    return found


def _solved(times: Tensor, by: Callable[..., Solution] = solve, **settings: Any) -> dict[str, Any]:
    f, y0 = VanDerPol(), torch.tensor([[2.0, 0.0], [0.5, -1.0]], dtype=torch.float64)
    wanted = "gradient" in settings
    y0.requires_grad_(wanted)
    with torch.set_grad_enabled(wanted):
        solution = by(f, y0, times, **settings)
    values = [solution.ys[-1]]
    if wanted:
        values += torch.autograd.grad(solution.ys[1:].square().sum(), [y0, f.mu])
    return {"nfe": solution.stats.nfe, "values": torch.cat([v.reshape(-1) for v in values]).tolist()}


if __name__ == "__main__":
    TARGET.write_text(json.dumps({"numbers": NUMBERS, "results": results()}, indent=1) + "\n")
