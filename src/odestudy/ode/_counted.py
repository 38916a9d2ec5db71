"""f as the loops call it: each evaluation counted, its slopes safe to keep, and looked at now and then."""

from dataclasses import dataclass, field

from torch import Tensor

from odestudy.ode._control import Counter
from odestudy.ode._memory import Keeper
from odestudy.ode._step import VectorField
from odestudy.ode._uses import Uses


@dataclass(slots=True)
class Counted:
    """f with its evaluations counted and its first output checked: it must look like the state.

    With `uses`, evaluations 1, 4, 16 and so on are watched for what f depends on.
    """

    f: VectorField
    counter: Counter
    checked: bool = False
    uses: Uses | None = None
    calls: int = 0
    watched: int = 1  # the next evaluation to watch
    keep: Keeper = field(default_factory=Keeper)

    def __call__(self, t: Tensor, y: Tensor) -> Tensor:
        self.counter.evaluation()
        if self.uses is not None:
            self.calls += 1
            if self.calls == self.watched:
                return self._watch(t, y, self.uses)
        dy = self.f(t, y)
        if not self.checked:
            self._check(dy, y)
        return self.keep(dy)

    def _watch(self, t: Tensor, y: Tensor, uses: Uses) -> Tensor:
        self.watched *= 4
        dy = uses.watch(self.f, t, y)
        self._check(dy, y)
        return self.keep(dy)

    def _check(self, dy: object, y: Tensor) -> None:
        self.checked = True
        if not isinstance(dy, Tensor) or dy.shape != y.shape or dy.dtype != y.dtype:
            got = f"{tuple(dy.shape)} of {dy.dtype}" if isinstance(dy, Tensor) else type(dy).__name__
            raise ValueError(f"f(t, y) gave {got}; it must match y: {tuple(y.shape)} of {y.dtype}")


def counted(f: VectorField, counter: Counter) -> Counted:
    """f, each evaluation counted, its output known to be sound."""
    return Counted(f, counter, checked=True)
