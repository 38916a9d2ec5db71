"""Estimates without a net, by scikit-learn: kernels, and a mixture of Gaussians."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from odestudy.densities.laws import Target
from odestudy.densities.models.budget import flow_parameters
from odestudy.densities.models.fitted import Fit
from odestudy.densities.settings import ModelSettings

HELD_OUT = 1000
WIDTHS = np.geomspace(0.02, 1.0, 9)  # of the kernel, tried on held-out samples


class SklearnDensity:
    """A density of scikit-learn under the contract."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def log_prob(self, x: Tensor) -> Tensor:
        return torch.from_numpy(self.model.score_samples(x.numpy()))

    def sampler_log_prob(self, x: Tensor) -> Tensor:
        return self.log_prob(x)

    def sample(self, n: int, rng: np.random.Generator) -> Tensor:
        if hasattr(self.model, "weights_"):
            self.model.random_state = int(rng.integers(2**31))
            return torch.from_numpy(self.model.sample(n)[0])
        return torch.from_numpy(self.model.sample(n, random_state=int(rng.integers(2**31))))


def fit_kde(target: Target, params: ModelSettings, seed: int, allowed_s: float | None = None) -> Fit:
    """A Gaussian kernel density estimate; its width, out of nine, is chosen on held-out samples.

    At equal parameters it keeps as many numbers as the flow has; at equal time it takes more and more samples until
    the time is over.
    """
    from sklearn.neighbors import KernelDensity

    def tried(scale: float) -> Any:
        x = target.sample(round(start * scale), np.random.default_rng([seed, 1])).numpy()
        return max((KernelDensity(bandwidth=b).fit(x) for b in WIDTHS), key=lambda m: m.score(held))

    held = target.sample(HELD_OUT, np.random.default_rng([seed, 6])).numpy()
    start = flow_parameters(target.d, params.width) // target.d
    model, seconds = _within(tried, allowed_s)
    return Fit(SklearnDensity(model), model.tree_.data.size, seconds, {"samples_used": len(model.tree_.data)})


def fit_mixture(target: Target, params: ModelSettings, seed: int, allowed_s: float | None = None) -> Fit:
    """A Gaussian mixture with full covariances; the number of components is chosen on held-out samples.

    At equal parameters it may have as many as the flow has; at equal time it takes more and more samples and
    components until the time is over.
    """
    from sklearn.mixture import GaussianMixture

    each = 1 + target.d + target.d * (target.d + 1) // 2
    most = max(1, flow_parameters(target.d, params.width) // each)
    held = target.sample(HELD_OUT, np.random.default_rng([seed, 6])).numpy()

    def tried(scale: float) -> Any:
        x = target.sample(round(params.baseline_samples * scale), np.random.default_rng([seed, 1])).numpy()
        limit = min(int(most * scale), len(x) // 10)
        sizes = [2**k for k in range(limit.bit_length()) if 2**k <= limit]
        models = (GaussianMixture(k, random_state=seed, reg_covar=1e-5).fit(x) for k in sizes)
        return max(models, key=lambda m: m.score(held))

    model, seconds = _within(tried, allowed_s)
    components = len(model.means_)
    return Fit(SklearnDensity(model), components * each - 1, seconds, {"components": components})


def _within(tried: Callable[[float], Any], allowed_s: float | None) -> tuple[Any, float]:
    """The model of scale 1, or the last of growing scales that together take the time allowed; and the time taken.

    The cost is taken for a power of the scale, at first the square, then what the last two trials say. The scale
    doubles while the time is enough for one as large again after it, then grows to what fills the time.
    """
    clock = time.process_time()
    scale, power = 1.0, 2.0
    model = tried(scale)
    cost = taken = time.process_time() - clock
    while allowed_s is not None and (left := allowed_s - taken) > cost:
        factor = 2.0 if left >= 2 * 2**power * cost else (left / cost) ** (1 / power)
        scale *= factor
        model = tried(scale)
        before, cost = cost, time.process_time() - clock - taken
        taken += cost
        power = min(3.0, max(1.0, math.log(cost / before) / math.log(factor)))
    return model, taken
