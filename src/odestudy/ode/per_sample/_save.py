"""What is kept of each sample's states: all of them, the last one, or a function of each."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from odestudy.ode.per_sample._field import SampleProblem, for_samples, upload

Kept = Callable[
    [np.ndarray, np.ndarray, Tensor], Any
]  # of samples, times and flat states, shapes [n], [n], [n, D]
Places = Sequence[tuple[np.ndarray, np.ndarray]]  # (observations, samples) of each piece


def on_rows(save: Callable[[Tensor, Any], Any], problem: SampleProblem) -> Kept:
    """save(t, y) on flat states of some samples; ValueError where its result has not one row for each."""

    def kept(samples: np.ndarray, t: np.ndarray, y: Tensor) -> Any:
        function = for_samples(save, upload(samples, y.device))
        values = function(upload(t, y.device).to(y.dtype), problem.restore(y))
        for part in values if isinstance(values, tuple) else (values,):
            if not isinstance(part, Tensor) or part.shape[:1] != y.shape[:1]:
                got = tuple(part.shape) if isinstance(part, Tensor) else type(part).__name__
                raise ValueError(f"save(t, y) gave {got}; its first dimension must be y's, {len(y)}")
        return values

    return kept


def arranged(pieces: Sequence[Any], places: Places, shape: tuple[int, int]) -> Any:
    """The pieces' rows at their places, shape [T, B, ...], or a tuple of such; nan where there is none."""
    if isinstance(pieces[0], tuple):
        return tuple(arranged(parts, places, shape) for parts in zip(*pieces, strict=True))
    found, (most, batch) = torch.cat(list(pieces)), shape
    rows = np.concatenate([which * batch + who for which, who in places])
    nothing = torch.nan if found.is_floating_point() or found.is_complex() else 0
    result = found.new_full((most * batch, *found.shape[1:]), nothing)
    result = result.index_copy(0, upload(rows, found.device), found)
    return result.reshape(most, batch, *found.shape[1:])


def of_states(kept: Kept, values: np.ndarray, ys: Tensor) -> Any:
    """What `kept` makes of all states ys, shape [T, B, D], at the times `values`, [B, T], of which some are nan."""
    which, who = np.nonzero(~np.isnan(values.T))
    rows = ys[upload(which, ys.device), upload(who, ys.device)]
    return arranged([kept(who, values[who, which], rows)], [(which, who)], (len(ys), ys.shape[1]))


def last_of(ys: Tensor, counts: np.ndarray | None) -> Tensor:
    """Each sample's last state, shape [B, D], of ys, [T, B, D], of which it has `counts`, or all where None."""
    if counts is None or (counts == len(ys)).all():
        return ys[-1]
    return ys[upload(counts - 1, ys.device), upload(np.arange(len(counts)), ys.device)]
