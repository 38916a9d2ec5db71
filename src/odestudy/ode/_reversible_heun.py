"""The reversible Heun method: each step can be taken back from its end, so that nothing need be kept."""

from torch import Tensor

from odestudy.ode._span import Span
from odestudy.ode._step import VectorField, advance
from odestudy.ode._stepper import StepResult

SolverState = tuple[Tensor, Tensor]

EULER = ((0, 1.0),)
TRAPEZOID = ((0, 0.5), (1, 0.5))


class ReversibleHeun:
    """A second state z beside y, and its slope m = f(t, z), one evaluation a step, of order 2:

    z1 = 2 y - z + h m,  m1 = f(t1, z1),  y1 = y + h (m + m1) / 2,  with z = y at the start.

    Solving these for (y, z) gives the step back. For y' = lambda y, w = h lambda, (y, z) is multiplied by a
    matrix of trace 2 w and determinant -1: its eigenvalues w +- sqrt(1 + w^2) lie on the unit circle only for
    w strictly between -i and i. Nowhere does the method damp: where Re lambda < 0 the second one grows about
    as exp(|Re lambda| t), from the size of a step's error. Take it for oscillations, and for decay over
    times of a few 1/|lambda|; going back, growth is what decay is going forward. Its error estimate is the
    distance to Euler's step, of order 1. Source: Kidger, Foster, Li, Lyons 2021 (arXiv 2105.13493), algorithms
    1 and 2.
    """

    name = "reversible_heun"
    order = 2
    error_power = 2
    one_step = False
    weights = None
    nodes = (0.0, 1.0)

    def step(
        self, f: VectorField, span: Span, y: Tensor, solver_state: Tensor | SolverState | None
    ) -> StepResult:
        """One step; the solver state is (z, m), or f(t, y) at the start."""
        start, end = span.stages(self.nodes)
        if not isinstance(solver_state, tuple):
            solver_state = y, f(start, y) if solver_state is None else solver_state
        z, m = solver_state
        z1 = advance(y + (y - z), span.dt, EULER, (m,))
        m1 = f(end, z1)
        y1 = advance(y, span.dt, TRAPEZOID, (m, m1))
        return StepResult(y1, [m, m1], (z1, m1), solver_state)

    def reverse(
        self, f: VectorField, span: Span, y1: Tensor, solver_state: SolverState
    ) -> tuple[Tensor, SolverState]:
        """(y, (z, m)) at the start of the step that ended in y1 and this solver state, for one evaluation."""
        z1, m1 = solver_state
        z = advance(y1 + (y1 - z1), -span.dt, EULER, (m1,))
        m = f(span.times((0.0,))[0], z)
        return advance(y1, -span.dt, TRAPEZOID, (m, m1)), (z, m)

    def errors(self, dt: float, attempt: StepResult) -> tuple[Tensor, ...]:
        """h (m1 - m) / 2."""
        m, m1 = attempt.ks
        return ((m1 - m) * (0.5 * dt),)

    def stiffness(self, attempt: StepResult) -> Tensor | None:
        """Not estimated."""
        return None

    def interpolate(
        self, f: VectorField, span: Span, y: Tensor, attempt: StepResult, theta: Tensor
    ) -> Tensor:
        """The cubic through both ends with slopes m and m1 (HNW I, eq. II.6.7), which is a parabola here."""
        m, m1 = attempt.ks
        theta = theta.reshape(-1, *[1] * y.ndim)
        half = 0.5 * theta * theta
        return y + ((theta - half) * span.dt).to(y.dtype) * m + (half * span.dt).to(y.dtype) * m1
