"""Estimates without a net, by scikit-learn: kernels, and a mixture of Gaussians."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import count as numbers
from typing import Any

import numpy as np
import torch
from torch import Tensor

from odestudy.densities.laws import Target
from odestudy.densities.models.budget import check_budget, flow_parameters, flow_seconds
from odestudy.densities.models.fitted import Fit

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


def fit_kde(target: Target, spec: dict[str, Any], seed: int) -> Fit:
    """A Gaussian kernel density estimate; its width, out of nine, is chosen on held-out samples.

    At equal parameters it keeps as many numbers as the flow has; at equal time it takes twice as many samples again
    and again until the flow's time is over.
    """
    from sklearn.neighbors import KernelDensity

    def tried(n: int) -> Any:
        x = target.sample(n, np.random.default_rng([seed, 1])).numpy()
        return max((KernelDensity(bandwidth=b).fit(x) for b in WIDTHS), key=lambda m: m.score(held))

    held = target.sample(HELD_OUT, np.random.default_rng([seed, 6])).numpy()
    start = flow_parameters(target.d, spec["width"]) // target.d
    model, seconds = _within(tried, (start * 2**k for k in numbers()), target, spec)
    return Fit(SklearnDensity(model), model.tree_.data.size, seconds, {"samples_used": len(model.tree_.data)})


def fit_mixture(target: Target, spec: dict[str, Any], seed: int) -> Fit:
    """A Gaussian mixture with full covariances; the number of components is chosen on held-out samples.

    At equal parameters it may have as many as the flow has; at equal time it takes twice as many samples and
    components again and again until the flow's time is over.
    """
    from sklearn.mixture import GaussianMixture

    each = 1 + target.d + target.d * (target.d + 1) // 2
    most = max(1, flow_parameters(target.d, spec["width"]) // each)
    held = target.sample(HELD_OUT, np.random.default_rng([seed, 6])).numpy()

    def tried(scale: int) -> Any:
        x = target.sample(spec["baseline_samples"] * scale, np.random.default_rng([seed, 1])).numpy()
        limit = min(most * scale, len(x) // 10)
        sizes = [2**k for k in range(limit.bit_length()) if 2**k <= limit]
        models = (GaussianMixture(k, random_state=seed, reg_covar=1e-5).fit(x) for k in sizes)
        return max(models, key=lambda m: m.score(held))

    model, seconds = _within(tried, (2**k for k in numbers()), target, spec)
    components = len(model.means_)
    return Fit(SklearnDensity(model), components * each - 1, seconds, {"components": components})


def _within(
    tried: Callable[[int], Any], sizes: Iterator[int], target: Target, spec: dict[str, Any]
) -> tuple[Any, float]:
    """The model of the first size, or of the last size that starts within the flow's time; and the time taken."""
    check_budget(spec["budget"])
    allowed = flow_seconds(target, spec) if spec["budget"] == "time" else 0.0
    clock = time.perf_counter()
    taken = 0.0
    while True:
        before = taken
        model = tried(next(sizes))
        taken = time.perf_counter() - clock
        # The next size costs at least twice what this one did, so it is started only where it may end in time.
        if taken + 2 * (taken - before) > allowed:
            return model, taken
