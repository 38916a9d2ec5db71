"""Densities fitted to samples: the flow, and what it is compared with at an equal number of parameters or time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from odestudy.densities.laws import Target
from odestudy.densities.models.discrete import fit_planar, fit_realnvp
from odestudy.densities.models.estimates import fit_kde, fit_mixture
from odestudy.densities.models.fitted import Fit
from odestudy.densities.models.flow import fit_cnf

MODELS: dict[str, Callable[[Target, dict[str, Any], int], Fit]] = {
    "cnf": fit_cnf,
    "realnvp": fit_realnvp,
    "planar": fit_planar,
    "kde": fit_kde,
    "mixture": fit_mixture,
}
