"""The contract between a method and the loops that drive it."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from torch import Tensor

from odestudy.ode._span import Span
from odestudy.ode._step import VectorField
from odestudy.ode._tableau import Terms

StepStatus = Literal["newton_failed", "non_finite"]


@dataclass(slots=True)
class StepResult:
    """An attempted step: its end, its stages, what the next step can start from, and what a retry can.

    None means: nothing, evaluate afresh. `status` says why an implicit step found no solution; `jacobians`
    and `factorizations` are what it cost beside evaluations of f. `stacked` are all the stages that interpolation
    needs, shape [stages, *y.shape], `ratio` is the error ratio, `stiffness` h |lambda|: where the step has them.
    `method` names the one that took it, where there is a choice; `closing` says that it was a closing method.
    """

    y1: Tensor
    ks: list[Tensor]
    solver_state: Any
    retry: Any
    status: StepStatus | None = None
    jacobians: int = 0
    factorizations: int = 0
    stacked: Tensor | None = None
    ratio: Tensor | None = None
    stiffness: Tensor | None = None
    method: str = ""
    closing: bool = False


@runtime_checkable
class Stepper(Protocol):
    """A method as the loops see it; a multistep one keeps its history in `solver_state`.

    `error_power` is the power of dt with which the error estimate shrinks (0: fixed steps only); `nodes` are
    the c_i at whose times t + c_i dt a step evaluates f; `one_step` says that a step depends on y alone;
    `weights` are the b_i of y1 = y + dt sum_i b_i k_i, or None where there are none.
    """

    @property
    def name(self) -> str: ...

    @property
    def order(self) -> int: ...

    @property
    def error_power(self) -> int: ...

    @property
    def one_step(self) -> bool: ...

    @property
    def nodes(self) -> tuple[float, ...]: ...

    @property
    def weights(self) -> Terms | None: ...

    def step(self, f: VectorField, span: Span, y: Tensor, solver_state: Any) -> StepResult:
        """The step from y over the span."""

    def errors(self, dt: float, attempt: StepResult) -> tuple[Tensor, ...]:
        """One or two estimates of the step's error, shaped like y."""

    def stiffness(self, attempt: StepResult) -> Tensor | None:
        """An estimate of h |lambda|, where the stages tell."""

    def interpolate(
        self, f: VectorField, span: Span, y: Tensor, attempt: StepResult, theta: Tensor
    ) -> Tensor:
        """States at t + theta dt, shape [len(theta), *y.shape]; theta is float64 in [0, 1]."""
