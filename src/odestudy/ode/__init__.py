"""Our own Neural ODE solvers and gradients.

`solve`, and `solve_batch` where each sample has its own steps, return a Solution with counts and a status; `odeint`, `odeint_adjoint` and
`odeint_event` take the place of torchdiffeq's.
"""

from odestudy.ode._batched_models import BatchedModels
from odestudy.ode._controller import PIDController
from odestudy.ode._dense import Interpolant
from odestudy.ode._dirk_tableau import DirkTableau
from odestudy.ode._methods import IMPLICIT_TABLEAUS, METHODS, TABLEAUS
from odestudy.ode._odeint import odeint, odeint_adjoint, odeint_dense
from odestudy.ode._odeint_event import odeint_event
from odestudy.ode._solution import Samples, Solution, Stats
from odestudy.ode._solve import solve
from odestudy.ode._span import Span
from odestudy.ode._status import STATUSES, SolveError
from odestudy.ode._stepper import Stepper, StepResult
from odestudy.ode._tableau import DenseOutput, ExplicitTableau
from odestudy.ode.gradients import GRADIENTS
from odestudy.ode.numbers import NUMBERS
from odestudy.ode.per_sample import solve_batch

__all__ = [
    "GRADIENTS",
    "IMPLICIT_TABLEAUS",
    "METHODS",
    "NUMBERS",
    "STATUSES",
    "TABLEAUS",
    "BatchedModels",
    "DenseOutput",
    "DirkTableau",
    "ExplicitTableau",
    "Interpolant",
    "PIDController",
    "Samples",
    "Solution",
    "SolveError",
    "Span",
    "Stats",
    "StepResult",
    "Stepper",
    "odeint",
    "odeint_adjoint",
    "odeint_dense",
    "odeint_event",
    "solve",
    "solve_batch",
]
