"""Back-propagation through the solver's own operations: the exact gradient of the discrete solution."""

from torch import Tensor

from odestudy.ode._control import Counter
from odestudy.ode._grid import ON_TIMES
from odestudy.ode._observer import Observations
from odestudy.ode._run import Run, check_finite


def forward(run: Run) -> Tensor:
    """States at the observation times, shape [len(t), *y0.shape], under the caller's gradient mode."""
    y0, times = run.problem.y0, run.times
    seen = Observations(times.values, y0, times.offsets, aligned=run.plan.grid is ON_TIMES)
    if len(times.values) > 1:
        _, run.failure = run.plan.integrate(
            run.field(), y0, times.values, seen, Counter(run.stats), times.offsets
        )
    ys = seen.states()
    check_finite(run, ys)
    return ys


def backprop(run: Run) -> Tensor:
    """Memory grows with steps times stages; needs no parameters (Chen et al. 2018 call it RK-Net)."""
    return forward(run)
