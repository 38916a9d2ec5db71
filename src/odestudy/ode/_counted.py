"""f as the loops call it: each evaluation counted and guarded."""

from dataclasses import dataclass, field

from torch import Tensor

from odestudy.ode._control import Counter
from odestudy.ode._guard import Guard
from odestudy.ode._step import VectorField


@dataclass(slots=True)
class Counted:
    """f with its evaluations counted, and guarded."""

    f: VectorField
    counter: Counter
    guard: Guard = field(default_factory=Guard)

    def __call__(self, t: Tensor, y: Tensor) -> Tensor:
        self.counter.evaluation()
        return self.guard(self.f, t, y)
