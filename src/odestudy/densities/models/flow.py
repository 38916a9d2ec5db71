"""The continuous flow as a fitted density."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from odestudy.densities.certificate import GAP_LIMIT_NAT
from odestudy.densities.fields import Field
from odestudy.densities.inverse import invert
from odestudy.densities.laws import Target
from odestudy.densities.models.fitted import Fit
from odestudy.densities.settings import FlowSettings, ModelSettings
from odestudy.densities.training import Course, Fitted, Recipe, fit, match
from odestudy.densities.transport import Grid, log_density, transport

MOST_STEPS = 64
CHECKED = 256  # points of a flow's own certificate; an eighth of them where a Jacobian is large
ENTRIES = 2**21  # of the Jacobians of one part of a batch


@dataclass(frozen=True)
class FlowDensity:
    """A trained flow, evaluated in float64 on a grid of its own; sampled by the tight inverse of that map."""

    f: nn.Module
    grid: Grid
    d: int

    def log_prob(self, x: Tensor) -> Tensor:
        return self._by("structured_trace", x)

    def sampler_log_prob(self, x: Tensor) -> Tensor:
        """Log-density of what `sample` gives: that of the computed map, by its log-determinant."""
        return self._by("structured_logdet", x)

    def sample(self, n: int, rng: np.random.Generator) -> Tensor:
        z = torch.from_numpy(rng.standard_normal((n, self.d)))
        return torch.cat([invert(self.f, part, self.grid, jacobians=1)[0] for part in z.split(self._part)])

    @property
    def _part(self) -> int:
        return max(1, ENTRIES // (64 * self.d))

    def _by(self, formula: str, x: Tensor) -> Tensor:
        parts = [log_density(self.f, part, self.grid, formula) for part in x.split(self._part)]
        return torch.cat(parts).detach()


def fit_cnf(target: Target, params: FlowSettings, seed: int) -> Fit:
    """A continuous flow by maximum likelihood, with what only a flow can show of itself."""
    torch.manual_seed(seed)
    net = Field(target.d, params.width)
    grid = Grid(params.train_method, params.train_steps)
    recipe = Recipe(params.train_formula, grid, params.iterations, params.batch, params.learning_rate)
    return as_fit(net, fit(net, target, recipe, seed), target, params, seed)


def fit_matching(
    target: Target,
    params: ModelSettings,
    seed: int,
    allowed_s: float | None = None,
    coupling: str = "independent",
) -> Fit:
    """The same net by flow matching; in the time allowed, or in as many steps as the flow's training has."""
    torch.manual_seed(seed)
    net, rng, rate = Field(target.d, params.width), np.random.default_rng([seed, 1]), params.learning_rate
    course = Course(params.iterations, rate) if allowed_s is None else Course(None, rate, allowed_s)
    fitted = match(net, lambda n: target.sample(n, rng), coupling, params.batch, course, seed)
    return as_fit(net, replace(fitted, late_gain_nat=math.nan), target, params, seed)


def as_fit(net: Field, fitted: Fitted, target: Target, params: FlowSettings, seed: int) -> Fit:
    """A trained net as a density, with its own part of the certificate."""
    count = sum(p.numel() for p in net.parameters())
    x = target.sample(CHECKED if target.d <= 8 else CHECKED // 8, np.random.default_rng([seed, 4]))
    flow = at_certified_step(net.double().requires_grad_(False), x, params.eval_steps)
    more: dict[str, float] = {"iterations": fitted.iterations}
    if math.isfinite(fitted.late_gain_nat):
        more["late_gain_nat"] = fitted.late_gain_nat  # flow matching has no likelihood as its loss
    return Fit(flow, count, fitted.train_s, more | own_certificate(flow, x))


def at_certified_step(f: nn.Module, x: Tensor, steps: int, most: int = MOST_STEPS) -> FlowDensity:
    """A flow that is evaluated by RK4 with `steps` steps, or twice as many, and so on, until its formulas agree at x.

    Where they do not even with `most` steps the certificate will say so.
    """
    flow = FlowDensity(f, Grid("rk4", steps), x.shape[1])
    while gap_nat(flow, x) > GAP_LIMIT_NAT and 2 * flow.grid.steps <= most:
        flow = replace(flow, grid=Grid("rk4", 2 * flow.grid.steps))
    return flow


def gap_nat(flow: FlowDensity, x: Tensor) -> float:
    """Mean distance of the trace integral from the log-determinant of the map as computed, at x (n, d)."""
    trace, logdet = (
        transport(flow.f, x, flow.grid, name)[1] for name in ("structured_trace", "structured_logdet")
    )
    return float((trace - logdet).abs().mean().nan_to_num(torch.inf))


def own_certificate(flow: FlowDensity, x: Tensor) -> dict[str, float]:
    """Steps of the evaluation, gap between the formulas, and the error of a round trip through the tight inverse."""
    end = transport(flow.f, x, flow.grid, "structured_trace")[0]
    back = invert(flow.f, end, flow.grid)[0]
    return {
        "steps": flow.grid.steps,
        "gap_nat": gap_nat(flow, x),
        "round_trip": float((back - x).norm(dim=1).max()),
    }
