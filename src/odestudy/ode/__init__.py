"""Our own Neural ODE solvers and gradients.

`solve` returns a Solution with statistics and a status; `odeint` and `odeint_adjoint` take the place of
torchdiffeq's.
"""

from odestudy.ode._controller import PIDController
from odestudy.ode._methods import TABLEAUS
from odestudy.ode._odeint import odeint, odeint_adjoint
from odestudy.ode._solution import Solution, Stats
from odestudy.ode._solve import solve
from odestudy.ode._status import STATUSES, SolveError
from odestudy.ode._tableau import DenseOutput, ExplicitTableau
from odestudy.ode.gradients import GRADIENTS

__all__ = [
    "GRADIENTS",
    "STATUSES",
    "TABLEAUS",
    "DenseOutput",
    "ExplicitTableau",
    "PIDController",
    "Solution",
    "SolveError",
    "Stats",
    "odeint",
    "odeint_adjoint",
    "solve",
]
