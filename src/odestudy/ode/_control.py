"""Everything that steers an adaptive solve, and the counters it fills."""

import math
from dataclasses import dataclass, field

import torch

from odestudy.ode._arguments import whole
from odestudy.ode._controller import PIDController
from odestudy.ode._solution import Stats
from odestudy.ode._stepper import StepResult


@dataclass(frozen=True)
class Control:
    """Step control of an adaptive solve; times in `step_t` and `jump_t` are stepped onto exactly.

    At `jump_t` f may be discontinuous: it is evaluated on the near side, and k1 anew on the far side.
    `force_dtmin` accepts steps of size dtmin whatever their error; otherwise they end the solve. With
    `max_steps_each` max_steps bounds the steps from one observation to the next, not those of the whole solve.
    """

    pid: PIDController = field(default_factory=PIDController)
    dt0: float | None = None
    dtmin: float = 0.0
    dtmax: float = math.inf
    max_steps: int = 100_000
    max_steps_each: bool = False
    force_dtmin: bool = False
    step_t: tuple[float, ...] = ()
    jump_t: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.dtmin <= self.dtmax or self.dtmax <= 0:
            raise ValueError(
                f"dtmin {self.dtmin} and dtmax {self.dtmax}: need 0 <= dtmin <= dtmax, dtmax > 0"
            )
        whole("max_steps", self.max_steps, 1)
        if self.dt0 is not None and not 0 < abs(self.dt0) < math.inf:
            raise ValueError(
                f"dt0 {self.dt0}: need a finite step size other than 0, or None to have it chosen"
            )
        if set(self.step_t) & set(self.jump_t):
            both = sorted(set(self.step_t) & set(self.jump_t))
            raise ValueError(f"step_t and jump_t must not share times, but share {both}")

    def stops(self, t: float, t_end: float) -> list[float]:
        """The times to hit exactly strictly after t, in order, the end last."""
        low, high = min(t, t_end), max(t, t_end)
        inner = sorted(s for s in (*self.step_t, *self.jump_t) if low < s < high)
        return [*(inner if t_end > t else inner[::-1]), t_end]


class Counter:
    """Adds to a Stats' forward or backward counts."""

    def __init__(self, stats: Stats, backward: bool = False) -> None:
        self.stats, self.backward = stats, backward

    def evaluation(self, n: int = 1) -> None:
        if self.backward or torch._C._current_graph_task_id() != -1:  # an implicit stage's, in backward
            self.stats.nfe_backward += n
        else:
            self.stats.nfe += n

    def step(self, accepted: bool) -> None:
        self._add("accepted" if accepted else "rejected", 1)

    def linear_algebra(self, attempt: StepResult) -> None:
        if attempt.factorizations:
            self._add("jacobians", attempt.jacobians)
            self._add("factorizations", attempt.factorizations)

    def method(self, name: str) -> None:
        """One accepted step by this method, where there is a choice of several."""
        if not name or self.backward:
            return
        taken = self.stats.methods
        before = taken.pop()[1] if taken and taken[-1][0] == name else 0
        taken.append((name, before + 1))

    def _add(self, name: str, n: int) -> None:
        name += "_backward" if self.backward else ""
        setattr(self.stats, name, getattr(self.stats, name) + n)

    def stiffness(self, samples: list[float]) -> None:
        """Keeps the largest finite one."""
        known = [x for x in (*samples, self.stats.stiffness) if math.isfinite(x)]
        if not self.backward and known:
            self.stats.stiffness = max(0.0, *known)
