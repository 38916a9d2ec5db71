"""Densities fitted to samples: the flow, and what it is compared with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from odestudy.densities.certificate import Density
from odestudy.densities.fields import Field
from odestudy.densities.inverse import invert
from odestudy.densities.planar import PlanarFlow
from odestudy.densities.targets import Target
from odestudy.densities.training import Recipe, fit
from odestudy.densities.transport import Grid, log_density, transport
from odestudy.outcome import NumericalFailure

CHUNK = 10_000


@dataclass(frozen=True)
class Fit:
    """A fitted density, how many numbers it has, how long it took, and what else is to be told."""

    density: Density
    parameters: int
    train_s: float
    more: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class FlowDensity:
    """A trained flow, evaluated in float64 on a grid of its own; sampled by the tight inverse of that map."""

    f: nn.Module
    grid: Grid
    d: int

    def log_prob(self, x: Tensor) -> Tensor:
        parts = [log_density(self.f, part, self.grid, "trace") for part in x.split(CHUNK)]
        return torch.cat(parts).detach()

    def sample(self, n: int, rng: np.random.Generator) -> Tensor:
        return invert(self.f, torch.from_numpy(rng.standard_normal((n, self.d))), self.grid, iterations=3)[0]


def fit_cnf(target: Target, spec: dict[str, Any], seed: int) -> Fit:
    """A continuous flow by maximum likelihood, with what only a flow can show of itself."""
    torch.manual_seed(seed)
    net = Field(target.d, spec["width"])
    grid = Grid(spec["train_method"], spec["train_steps"])
    formula = spec["train_formula"]
    fitted = fit(
        net, target, Recipe(formula, grid, spec["iterations"], spec["batch"], spec["learning_rate"]), seed
    )
    count = sum(p.numel() for p in net.parameters())
    flow = FlowDensity(net.double().requires_grad_(False), Grid("rk4", spec["eval_steps"]), target.d)
    x = target.sample(256, np.random.default_rng([seed, 4]))
    return Fit(flow, count, fitted.train_s, own_certificate(flow, x))


def own_certificate(flow: FlowDensity, x: Tensor) -> dict[str, float]:
    """Gap between trace and log-determinant, and the error of a round trip through the tight inverse."""
    end, trace = transport(flow.f, x, flow.grid, "trace")
    logdet = transport(flow.f, x, flow.grid, "logdet")[1]
    back = invert(flow.f, end, flow.grid)[0]
    return {
        "gap_nat": float((trace - logdet).abs().mean()),
        "round_trip": float((back - x).norm(dim=1).max()),
    }


class _Sklearn:
    """A density of scikit-learn under the contract."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def log_prob(self, x: Tensor) -> Tensor:
        return torch.from_numpy(self.model.score_samples(x.numpy()))

    def sample(self, n: int, rng: np.random.Generator) -> Tensor:
        if hasattr(self.model, "weights_"):
            self.model.random_state = int(rng.integers(2**31))
            return torch.from_numpy(self.model.sample(n)[0])
        return torch.from_numpy(self.model.sample(n, random_state=int(rng.integers(2**31))))


def fit_kde(target: Target, spec: dict[str, Any], seed: int) -> Fit:
    """A Gaussian kernel density estimate; its width, out of nine, is chosen on held-out samples."""
    from sklearn.neighbors import KernelDensity

    rng = np.random.default_rng([seed, 1])
    x, held = (target.sample(n, rng).numpy() for n in (spec["baseline_samples"], 1000))
    clock = time.perf_counter()
    tried = [KernelDensity(bandwidth=b).fit(x) for b in np.geomspace(0.02, 0.5, 9)]
    best = max(tried, key=lambda model: model.score(held))
    return Fit(_Sklearn(best), x.size, time.perf_counter() - clock)


def fit_mixture(target: Target, spec: dict[str, Any], seed: int) -> Fit:
    """A Gaussian mixture with full covariances; the number of components is chosen on held-out samples."""
    from sklearn.mixture import GaussianMixture

    rng = np.random.default_rng([seed, 1])
    x, held = (target.sample(n, rng).numpy() for n in (spec["baseline_samples"], 1000))
    clock = time.perf_counter()
    tried = [GaussianMixture(k, random_state=seed, reg_covar=1e-5).fit(x) for k in (1, 2, 4, 8, 16, 32)]
    best = max(tried, key=lambda model: model.score(held))
    k, d = best.means_.shape
    return Fit(_Sklearn(best), k * (1 + d + d * (d + 1) // 2) - 1, time.perf_counter() - clock)


class _Discrete:
    """A discrete flow under the contract; `draw` makes samples."""

    def __init__(self, log_prob: Callable[[Tensor], Tensor], draw: Callable[[int], Tensor]) -> None:
        self._log_prob, self.draw = log_prob, draw

    def log_prob(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.cat([self._log_prob(part) for part in x.split(CHUNK)])

    def sample(self, n: int, rng: np.random.Generator) -> Tensor:
        torch.manual_seed(int(rng.integers(2**31)))
        with torch.no_grad():
            return self.draw(n)


def fit_realnvp(target: Target, spec: dict[str, Any], seed: int) -> Fit:
    """Affine coupling layers (Dinh et al. 2017) by the library zuko, trained for as long as the flow may be."""
    import zuko

    torch.manual_seed(seed)
    flow = zuko.flows.RealNVP(target.d, transforms=6, hidden_features=(24, 24))
    seconds = _descend(flow, lambda x: flow().log_prob(x), target, spec, seed)
    flow = flow.double()
    return Fit(_Discrete(lambda x: flow().log_prob(x), lambda n: flow().sample((n,))), _count(flow), seconds)


def fit_planar(target: Target, spec: dict[str, Any], seed: int) -> Fit:
    """Planar layers (Rezende, Mohamed 2015), from data to base; samples by bisection along each layer."""
    torch.manual_seed(seed)
    flow = PlanarFlow(target.d, spec["planar_layers"])
    seconds = _descend(flow, flow.log_prob, target, spec, seed)
    flow = flow.double()
    return Fit(_Discrete(flow.log_prob, flow.sample), _count(flow), seconds)


def _count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def _descend(
    net: nn.Module, log_prob: Callable[[Tensor], Tensor], target: Target, spec: dict[str, Any], seed: int
) -> float:
    """Maximum likelihood with the flow's batch and optimiser, and `baseline_iterations`; the time taken."""
    rng = np.random.default_rng([seed, 1])
    optimizer = torch.optim.Adam(net.parameters(), lr=spec["baseline_learning_rate"])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, spec["baseline_iterations"])
    clock = time.perf_counter()
    for i in range(spec["baseline_iterations"]):
        loss = -log_prob(target.sample(spec["batch"], rng).float()).mean()
        if not torch.isfinite(loss):
            raise NumericalFailure("non_finite", f"loss is not finite at iteration {i}")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        optimizer.step()
        schedule.step()
    return time.perf_counter() - clock


MODELS: dict[str, Callable[[Target, dict[str, Any], int], Fit]] = {
    "cnf": fit_cnf,
    "realnvp": fit_realnvp,
    "planar": fit_planar,
    "kde": fit_kde,
    "mixture": fit_mixture,
}
