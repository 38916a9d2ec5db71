"""The observation times of each sample."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from odestudy.ode._precision import on, wide
from odestudy.ode._times import make_times


@dataclass(frozen=True)
class SampleTimes:
    """`values`, shape [B, T], float64 on the host, nan behind a sample's last time; `counts` how many it has.

    `signs` are +1 for samples that run forwards, -1 backwards; `offsets`, shape [B, T], are zeros
    that carry the gradient of the times, or None.
    """

    tensor: Tensor
    values: np.ndarray
    counts: np.ndarray
    signs: np.ndarray
    offsets: Tensor | None

    @property
    def differentiable(self) -> bool:
        """Whether a gradient in the times is wanted."""
        return self.offsets is not None

    @property
    def ends(self) -> np.ndarray:
        """Each sample's last time, shape [B]."""
        return self.values[np.arange(len(self.values)), self.counts - 1]

    @cached_property
    def at_rest(self) -> np.ndarray:
        """Whether all of a sample's times are its first, shape [B]: it takes no step."""
        return self.ends == self.values[:, 0]

    @cached_property
    def last(self) -> Tensor:
        """Each sample's last time as it was given, shape [B], or [] where all have the same."""
        if self.tensor.ndim == 1:
            return self.tensor[-1]
        which = torch.from_numpy(self.counts - 1).to(self.tensor.device)
        return self.tensor.gather(1, which[:, None])[:, 0]

    def only_ends(self) -> "SampleTimes":
        """The first times and the last ones alone."""
        if self.values.shape[1] < 3 and self.tensor.ndim == 1:
            return self
        everyone, which = (
            np.arange(len(self.values)),
            np.stack([np.zeros_like(self.counts), self.counts - 1], 1),
        )
        values, offsets = self.values[everyone[:, None], which], self.offsets
        if offsets is not None:
            offsets = offsets.gather(1, torch.from_numpy(which).to(offsets.device))
        tensor = self.tensor if self.tensor.ndim == 1 else torch.stack([self.tensor[:, 0], self.last], 1)
        counts = np.full_like(self.counts, 2)
        return SampleTimes(tensor, values, counts, self.signs, offsets)

    def ending_at(self, t1: np.ndarray) -> "SampleTimes":
        """The first times and t1, which are events' and carry no gradient; nan where there was none."""
        values, offsets = np.stack([self.values[:, 0], t1], 1), self.offsets
        if offsets is not None:
            offsets = torch.stack([offsets[:, 0], torch.zeros_like(offsets[:, 0])], 1)
        counts = 1 + ~np.isnan(t1)
        return SampleTimes(self.tensor, values, counts, self.signs, offsets)

    @cached_property
    def ordered(self) -> np.ndarray:
        """The times as they rise along each sample's direction, infinite behind its last, shape [B, T + 1]."""
        ordered = np.where(np.isnan(self.values), np.inf, self.values * self.signs[:, None])
        return np.pad(ordered, ((0, 0), (0, 1)), constant_values=np.inf)

    def passed(self, samples: np.ndarray, t: np.ndarray) -> np.ndarray:
        """How many of their times these samples have behind them at t, shape [n]."""
        return (self.ordered[samples] <= (t * self.signs[samples])[:, None]).sum(1)


def make_sample_times(t: Tensor | Sequence[float], y0: Tensor) -> SampleTimes:
    """t of shape [T], for all samples, or [B, T]; a row may end in nan.

    The same time may come again, as padding does. Raises ValueError unless each sample's times are finite and
    monotonic.
    """
    batch = len(y0)
    if not isinstance(t, Tensor):
        t = torch.as_tensor(t, dtype=wide(torch.device("cpu")))
    if t.ndim != 2:
        times = make_times(t, y0, repeated=True)
        values = np.broadcast_to(np.array(times.values), (batch, len(times.values)))
        offsets = None if times.offsets is None else times.offsets.expand(batch, -1)
        return _moving(SampleTimes(t, values, *_counts_and_signs(values), offsets))
    if not t.is_floating_point():
        raise ValueError(f"t must be floating point, got {t.dtype}; use t.double()")
    if t.shape[0] != batch or t.shape[1] == 0:
        raise ValueError(f"t must have shape [T] or [{batch}, T], one row a sample, got {tuple(t.shape)}")
    values = t.detach().cpu().numpy().astype(np.float64)
    counts, signs = _counts_and_signs(values)
    _check(values, counts, signs)
    offsets = _carriers(t, y0.device) if t.requires_grad else None
    return _moving(SampleTimes(t, values, counts, signs, offsets))


def _carriers(t: Tensor, device: torch.device) -> Tensor:
    """Zeros with the gradient of the times."""
    return on(device, (t - t.detach()).nan_to_num().to(wide(t.device)))


def _moving(times: SampleTimes) -> SampleTimes:
    """Itself; ValueError where a gradient in times is wanted of a sample that does not move."""
    if times.offsets is not None and bool((times.at_rest & (times.counts > 1)).any()):
        raise ValueError(
            "t requires a gradient, but all times of a sample are its first: drop the repeated ones"
        )
    return times


def _counts_and_signs(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    counts = (~np.isnan(values)).sum(1)
    if values.shape[1] < 2:
        return counts, np.ones(len(values))
    last = values[np.arange(len(values)), np.maximum(counts, 1) - 1]
    return counts, np.where(last < values[:, 0], -1.0, 1.0)


def _check(values: np.ndarray, counts: np.ndarray, signs: np.ndarray) -> None:
    inside = np.arange(values.shape[1]) < counts[:, None]
    steps = np.diff(values * signs[:, None])
    bad = (counts == 0) | (np.isfinite(values) != inside).any(1) | ((steps < 0) & inside[:, 1:]).any(1)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise ValueError(
            f"t[{row}] is {values[row].tolist()}: each sample needs finite times that increase or "
            "decrease (the same one may come again), with nan only behind its last"
        )
