"""What is done around each evaluation of f, whoever asks for it."""

from collections.abc import Callable

from torch import Tensor

from odestudy.ode._memory import Keeper
from odestudy.ode._step import VectorField
from odestudy.ode._uses import Uses, due


class Guard:
    """Refuses slopes that do not look like the state, copies those whose memory f may write to again.

    `uses` are watched now and then, or `always`, for what f depends on; `look` sees each slope, with t and y.
    """

    __slots__ = ("always", "calls", "keep", "look", "uses")

    def __init__(
        self,
        uses: Uses | None = None,
        look: Callable[[Tensor, Tensor, Tensor], None] | None = None,
        always: bool = False,
    ) -> None:
        self.uses, self.look, self.always = uses, look, always
        self.keep, self.calls = Keeper(), 0

    def __call__(self, f: VectorField, t: Tensor, y: Tensor) -> Tensor:
        """f(t, y); ValueError where it is not shaped like y, or where f wrote to t or y."""
        self.calls += 1
        before = _versions(t, y)
        if self.uses is not None and (self.always or due(self.calls)):
            dy = self.uses.watch(f, t, y)
        else:
            dy = f(t, y)
        if not isinstance(dy, Tensor) or dy.shape != y.shape or dy.dtype != y.dtype:
            got = f"{tuple(dy.shape)} of {dy.dtype}" if isinstance(dy, Tensor) else type(dy).__name__
            raise ValueError(f"f(t, y) gave {got}; it must match y: {tuple(y.shape)} of {y.dtype}")
        if before != _versions(t, y):
            name = "t" if before[0] != t._version else "y"
            raise ValueError(f"f(t, y) writes to {name}, which the solver goes on with: let f copy it first")
        if self.look is not None:
            self.look(dy, t, y)
        return self.keep(dy)


def _versions(t: Tensor, y: Tensor) -> tuple[int, ...]:
    """How often each was written to; nothing of tensors that do not count it."""
    return () if t.is_inference() or y.is_inference() else (t._version, y._version)
