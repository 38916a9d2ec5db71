"""Flows of discrete layers: RealNVP by a library, and planar layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from odestudy.densities.laws import Target
from odestudy.densities.models.budget import flow_parameters
from odestudy.densities.models.fitted import Fit
from odestudy.densities.planar import PlanarFlow
from odestudy.densities.settings import ModelSettings
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


def fit_realnvp(target: Target, params: ModelSettings, seed: int, allowed_s: float | None = None) -> Fit:
    """Affine coupling layers (Dinh et al. 2017) by the library zuko.

    At equal parameters the hidden layers have the width that comes nearest to the flow's count; at equal time they
    are as wide as the flow's.
    """
    import zuko

    def flow_of(width: int) -> Any:
        torch.manual_seed(seed)
        return zuko.flows.RealNVP(target.d, transforms=TRANSFORMS, hidden_features=(width, width))

    width = params.width
    if allowed_s is None:
        wanted = flow_parameters(target.d, width)
        width = min(range(1, 2 * width), key=lambda w: abs(count(flow_of(w)) - wanted))
    flow = flow_of(width)
    fitted = _train(flow, lambda net: net().log_prob, target, params, seed, allowed_s)
    flow = flow.double()
    density = _Discrete(lambda x: flow().log_prob(x), lambda n: flow().sample((n,)))
    return _fit(density, flow, fitted)


def fit_planar(target: Target, params: ModelSettings, seed: int, allowed_s: float | None = None) -> Fit:
    """Planar layers (Rezende, Mohamed 2015), from data to base; samples by bisection along each layer.

    At equal parameters there are as many layers as the flow's count allows, at equal time `planar_layers`.
    """
    torch.manual_seed(seed)
    if allowed_s is not None:
        layers = params.planar_layers
    else:
        layers = round(flow_parameters(target.d, params.width) / (2 * target.d + 1))
    flow = PlanarFlow(target.d, layers)
    fitted = _train(flow, lambda net: net.log_prob, target, params, seed, allowed_s)
    flow = flow.double()
    return _fit(_Discrete(flow.log_prob, flow.sample), flow, fitted)


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def _fit(density: _Discrete, flow: nn.Module, fitted: Fitted) -> Fit:
    more = {"iterations": fitted.iterations, "late_gain_nat": fitted.late_gain_nat}
    return Fit(density, count(flow), fitted.train_s, more)


def _train(
    net: Any,
    log_prob_of: Callable[[Any], Callable[[Tensor], Tensor]],
    target: Target,
    params: ModelSettings,
    seed: int,
    allowed_s: float | None,
) -> Fitted:
    """Maximum likelihood with the flow's batch: until the time allowed is over, else `baseline_iterations`."""
    rate = params.baseline_learning_rate
    course = Course(params.baseline_iterations, rate) if allowed_s is None else Course(None, rate, allowed_s)
    rng = np.random.default_rng([seed, 1])
    draw = lambda: target.sample(params.batch, rng).float()
    # A library's flow builds its distribution anew from its parameters for every call.
    return maximise(net, lambda x: log_prob_of(net)(x), draw, course, f"seed {seed}")
