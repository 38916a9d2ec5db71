"""Densities fitted to samples: the flow, and what it is compared with at an equal number of parameters or time.

Each takes a target, a specification and a seed; those beside the flow also the time in seconds that they are allowed,
without which they get as many parameters as the flow.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from odestudy.densities.models.discrete import fit_planar, fit_realnvp
from odestudy.densities.models.estimates import fit_kde, fit_mixture
from odestudy.densities.models.fitted import Fit
from odestudy.densities.models.flow import fit_cnf, fit_matching

MODELS: dict[str, Callable[..., Fit]] = {
    "cnf": fit_cnf,
    "matching": fit_matching,
    "matching_ot": partial(fit_matching, coupling="optimal"),
    "realnvp": fit_realnvp,
    "planar": fit_planar,
    "kde": fit_kde,
    "mixture": fit_mixture,
}
