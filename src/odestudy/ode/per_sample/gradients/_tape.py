"""What a checkpointed gradient writes down of a solve: steps as numbers, and a few states."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from odestudy.ode.per_sample._field import upload
from odestudy.ode.per_sample._observe import SampleStep


@dataclass
class SampleTape:
    """The accepted steps as numbers, and each sample's every stride-th state; the stride grows with the solve.

    `steps` holds (samples, which step of theirs, t, t1, dt); `states` (samples, which step, states).
    """

    counts: np.ndarray
    steps: list[tuple[np.ndarray, ...]] = field(default_factory=list)
    states: list[tuple[np.ndarray, np.ndarray, Tensor]] = field(default_factory=list)
    stride: int = 1

    def accept(self, step: SampleStep) -> None:
        """Writes the accepted rows down."""
        rows, samples = step.rows, step.field.samples[step.rows]
        j = self.counts[samples]
        self.steps.append((samples, j, step.span.starts[rows], step.t1[rows], step.span.sizes[rows]))
        self._keep(samples, j, step.y.index_select(0, upload(rows, step.y.device)))
        self.counts[samples] += 1
        if self.counts.max() > self.stride * (2 * self.stride + 2):
            self.stride *= 2
            kept, self.states = self.states, []
            for entry in kept:
                self._keep(*entry)

    def _keep(self, samples: np.ndarray, j: np.ndarray, states: Tensor) -> None:
        due = np.flatnonzero(j % self.stride == 0)
        if len(due):
            self.states.append((samples[due], j[due], states.index_select(0, upload(due, states.device))))

    def table(self) -> np.ndarray:
        """t, t1 and dt of each sample's steps, shape [3, B, most steps], nan behind the last."""
        table = np.full((3, len(self.counts), int(self.counts.max(initial=0))), np.nan)
        for samples, j, *numbers in self.steps:
            table[:, samples, j] = numbers
        return table

    def levels(self) -> list[Tensor]:
        """The states at step 0, stride, 2 stride and so on, of the samples that came so far, in their order."""
        if not self.states:
            return []
        samples, j = (np.concatenate([entry[i] for entry in self.states]) for i in (0, 1))
        states = torch.cat([entry[2] for entry in self.states])
        order = np.lexsort((samples, j))
        sizes = np.unique(j, return_counts=True)[1]
        return list(states.index_select(0, upload(order, states.device)).split(sizes.tolist()))
