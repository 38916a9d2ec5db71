"""The integral of a density in any dimension, by importance sampling."""

from __future__ import annotations

import torch
from torch import Tensor


def importance_mass(log_p: Tensor, log_proposals: Tensor) -> dict[str, float]:
    """The integral of a density and its standard error, from points of several proposals.

    The points count as samples of the proposals' even mixture (Hesterberg 1995; Owen, Zhou 2000): where one of k
    proposals is close to the density no weight exceeds k, so the standard error can be trusted.

    Args:
        log_p: log-density at n points of each of k proposals, (k, n).
        log_proposals: log-density of each proposal (first index) at all of these points, (k, k, n).

    Returns:
        `mass`, `mass_error`, and `effective_pct`, the effective share of the samples (Kong 1992).
    """
    k, n = log_p.shape
    log_mixture = torch.logsumexp(log_proposals, 0) - torch.log(torch.tensor(float(k)))
    weights = (log_p - log_mixture).exp().nan_to_num(0.0)  # a sampler that failed has drawn nothing
    error = (weights.var(1) / n).sum().sqrt() / k
    effective = weights.sum().square() / weights.square().sum() / weights.numel()
    return {
        "mass": float(weights.mean()),
        "mass_error": float(error),
        "effective_pct": 100 * float(effective),
    }
