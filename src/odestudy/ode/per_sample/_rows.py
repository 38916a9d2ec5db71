"""The samples of a batch that are still under way."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from odestudy.ode._tolerance import Tolerance
from odestudy.ode.per_sample._control import tolerance_of_rows
from odestudy.ode.per_sample._field import SampleField, upload
from odestudy.ode.per_sample._span import SampleSpan


@dataclass
class Rows:
    """The samples under way, one a row: host arrays of shape [n] steer, states of shape [n, D] are computed.

    `stale` marks the rows whose k1 is to be evaluated; `previous`, [n, 2], are the error ratios of the two
    steps accepted last, `ratio` that of the last attempt.
    """

    field: SampleField
    tolerance: Tolerance
    y: Tensor
    k1: Tensor
    offset: Tensor | None
    t: np.ndarray
    end: np.ndarray
    dt: np.ndarray
    ratio: np.ndarray
    previous: np.ndarray
    grow: np.ndarray
    stale: np.ndarray

    def keep(self, mask: np.ndarray) -> None:
        """Drops the other rows, so that they cost nothing more."""
        if mask.all():
            return
        rows = np.flatnonzero(mask)
        for name in ("t", "end", "dt", "ratio", "previous", "grow", "stale"):
            setattr(self, name, getattr(self, name)[rows])
        if not len(rows):
            return
        self.field = self.field.of(rows)
        index = upload(rows, self.y.device)
        self.tolerance = tolerance_of_rows(self.tolerance, index)
        self.y, self.k1 = self.y.index_select(0, index), self.k1.index_select(0, index)
        self.offset = None if self.offset is None else self.offset.index_select(0, index)

    def refresh(self) -> None:
        """Evaluates k1 where it is stale."""
        if not self.stale.any():
            return
        if self.stale.all():
            self.k1 = self.field(self._span().times((0.0,))[0], self.y)
        else:
            rows = np.flatnonzero(self.stale)
            index = upload(rows, self.y.device)
            y = self.y.index_select(0, index)
            span = self._span().of(rows, y)
            k1 = self.field.of(rows)(span.times((0.0,))[0], y)
            self.k1 = self.k1.index_copy(0, index, k1)
        self.stale[:] = False

    def _span(self) -> SampleSpan:
        return SampleSpan(self.t, self.dt, self.t + self.dt, self.y, self.offset)
