"""Error against step, work and time, for every method of odestudy.ode (claim C02)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from odestudy.integrate import Solver, integrate
from odestudy.measure.clock import now_s, time_repeats
from odestudy.measure.fits import log_slope
from odestudy.ode import METHODS, Solution, solve
from odestudy.ode._methods import make_stepper
from odestudy.outcome import NumericalFailure, Outcome, Row
from odestudy.sensitivity.attempt import attempt
from odestudy.sensitivity.problems import Problem, problem_of

# Adams of four steps: the twelve that it takes otherwise are unstable with the steps of these problems.
OPTIONS = {method: {"max_order": 4} for method in ("explicit_adams", "implicit_adams", "fixed_adams")}
OURS = tuple(method for method in METHODS if method != "scipy_solver")
LONG_S = 0.25  # a solve that takes longer is not repeated, and has no time
MOST_STEPS = 2500  # more are no way to solve such small problems
# Points of a fit; errors below carry rounding, those above are not asymptotic.
FINEST, FLOOR, COARSE = 5, 1e-12, 0.5
NEWTON = {
    "rtol": 1e-11,
    "atol": 1e-12,
}  # with fixed steps tolerances tell implicit methods when a stage is solved
