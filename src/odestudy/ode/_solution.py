"""What a solve returns."""

from dataclasses import dataclass, field, replace
from typing import Generic

from torch import Tensor

from odestudy.ode._dense import Interpolant
from odestudy.ode._state import S
from odestudy.ode._status import Failure, SolveError, Status


@dataclass
class Stats:
    """Counts of one solve; the backward ones are filled when the backward pass has run.

    `stiffness` is the largest sampled h |lambda|: an explicit method is held back by stability, not by
    accuracy, where it stays near the edge of its stability region (about 3.3 for order 5; HNW II, IV.2).
    An implicit method's Jacobians and LU factorizations are counted apart; f's evaluations for a Jacobian are
    among nfe. `methods` says by which method how many accepted steps were taken in turn, under "auto".
    """

    nfe: int = 0
    nfe_backward: int = 0
    accepted: int = 0
    rejected: int = 0
    accepted_backward: int = 0
    rejected_backward: int = 0
    jacobians: int = 0
    factorizations: int = 0
    jacobians_backward: int = 0
    factorizations_backward: int = 0
    stiffness: float = float("nan")
    methods: list[tuple[str, int]] = field(default_factory=list)
    status_backward: Status | None = None

    @property
    def switches(self) -> int:
        """How often method "auto" changed the method."""
        return max(len(self.methods) - 1, 0)


@dataclass(frozen=True)
class Samples:
    """What became of each sample of solve_batch: counts, int64 of shape [B] on the CPU, and how it
    ended.

    nfe counts the evaluations of the forward solve that the sample took part in.
    """

    nfe: Tensor
    accepted: Tensor
    rejected: Tensor
    statuses: tuple[Status, ...]
    messages: tuple[str, ...]


@dataclass(frozen=True)
class Solution(Generic[S]):
    """ys at ts (shape [len(ts), *y0.shape], a tuple for a tuple state, or what `save` made of it), counts, and how the solve ended.

    Where `status` is not "ok", the rows of ys that were not reached are nan and `message` says why. Of
    solve_batch `samples` has each sample's counts and status, `status` is the worst of them, and in `stats`
    nfe counts the calls of f, for however many samples, accepted and rejected the steps of all samples.
    `event_t` is the time of an event, `event_index` which of its elements it was. `tally` are the counts that a
    backward pass still adds to: `stats` is a copy of them.
    """

    ts: Tensor
    ys: S
    tally: Stats = field(default_factory=Stats, repr=False)
    status: Status = "ok"
    message: str = ""
    interpolant: Interpolant | None = None
    event_t: Tensor | None = None
    samples: Samples | None = None
    event_index: int | None = None

    @property
    def stats(self) -> Stats:
        """The counts as they are now; what a backward pass adds later is in a later copy."""
        return replace(self.tally, methods=list(self.tally.methods))

    def raise_on_failure(self) -> "Solution[S]":
        """Returns itself; raises SolveError where the status is not "ok"."""
        if self.status != "ok":
            raise SolveError(Failure(self.status, self.message))
        return self
