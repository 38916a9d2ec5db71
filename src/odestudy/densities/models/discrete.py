"""Flows of discrete layers: RealNVP by a library, and planar layers."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from odestudy.densities.laws import Target
from odestudy.densities.models.budget import check_budget, flow_parameters, flow_seconds, seconds_each
from odestudy.densities.models.fitted import Fit
from odestudy.densities.planar import PlanarFlow
from odestudy.densities.training import Course, Fitted, maximise

CHUNK = 10_000
TRANSFORMS = 6


class _Discrete:
    """A discrete flow under the contract of a density; `draw` makes samples."""

    def __init__(self, log_prob: Callable[[Tensor], Tensor], draw: Callable[[int], Tensor]) -> None:
        self._log_prob, self.draw = log_prob, draw

    def log_prob(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.cat([self._log_prob(part) for part in x.split(CHUNK)])

    def sampler_log_prob(self, x: Tensor) -> Tensor:
        return self.log_prob(x)

    def sample(self, n: int, rng: np.random.Generator) -> Tensor:
        torch.manual_seed(int(rng.integers(2**31)))
        with torch.no_grad():
            return self.draw(n)


def fit_realnvp(target: Target, spec: dict[str, Any], seed: int) -> Fit:
    """Affine coupling layers (Dinh et al. 2017) by the library zuko.

    At equal parameters the hidden layers have the width that comes nearest to the flow's count; at equal time they
    are as wide as the flow's.
    """
    import zuko

    def flow_of(width: int) -> Any:
        torch.manual_seed(seed)
        return zuko.flows.RealNVP(target.d, transforms=TRANSFORMS, hidden_features=(width, width))

    width = spec["width"]
    if spec["budget"] == "parameters":
        wanted = flow_parameters(target.d, width)
        width = min(range(1, 2 * width), key=lambda w: abs(count(flow_of(w)) - wanted))
    flow = flow_of(width)
    fitted, iterations = _train(flow, lambda net: net().log_prob, target, spec, seed)
    flow = flow.double()
    density = _Discrete(lambda x: flow().log_prob(x), lambda n: flow().sample((n,)))
    return _fit(density, flow, fitted, iterations)


def fit_planar(target: Target, spec: dict[str, Any], seed: int) -> Fit:
    """Planar layers (Rezende, Mohamed 2015), from data to base; samples by bisection along each layer.

    At equal parameters there are as many layers as the flow's count allows, at equal time `planar_layers`.
    """
    torch.manual_seed(seed)
    layers = spec["planar_layers"]
    if spec["budget"] == "parameters":
        layers = round(flow_parameters(target.d, spec["width"]) / (2 * target.d + 1))
    flow = PlanarFlow(target.d, layers)
    fitted, iterations = _train(flow, lambda net: net.log_prob, target, spec, seed)
    flow = flow.double()
    return _fit(_Discrete(flow.log_prob, flow.sample), flow, fitted, iterations)


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def _fit(density: _Discrete, flow: nn.Module, fitted: Fitted, iterations: int) -> Fit:
    more = {"iterations": iterations, "late_gain_nat": fitted.late_gain_nat}
    return Fit(density, count(flow), fitted.train_s, more)


def _train(
    net: Any,
    log_prob_of: Callable[[Any], Callable[[Tensor], Tensor]],
    target: Target,
    spec: dict[str, Any],
    seed: int,
) -> tuple[Fitted, int]:
    """Maximum likelihood with the flow's batch: `baseline_iterations` of it, or as many as the flow's time allows."""
    check_budget(spec["budget"])
    rate = spec["baseline_learning_rate"]

    def train(net: Any, iterations: int) -> Fitted:
        rng = np.random.default_rng([seed, 1])
        draw = lambda: target.sample(spec["batch"], rng).float()  # noqa: E731
        # A library's flow builds its distribution anew from its parameters for every call.
        return maximise(net, lambda x: log_prob_of(net)(x), draw, Course(iterations, rate), f"seed {seed}")

    iterations = spec["baseline_iterations"]
    if spec["budget"] == "time":
        spare = deepcopy(net)
        iterations = max(1, round(flow_seconds(target, spec) / seconds_each(lambda n: train(spare, n))))
    return train(net, iterations), iterations
