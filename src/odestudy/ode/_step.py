"""One explicit Runge-Kutta step as a pure function of tensors, fit to be compiled as a whole."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from odestudy.ode._tableau import ExplicitTableau, Terms

VectorField = Callable[[Tensor, Tensor], Tensor]


LARGE = 4096  # elements, from which on it pays to add to a sum in place: memory is what takes the time


def weighted_sum(row: Terms, ks: Sequence[Tensor]) -> Tensor:
    """sum_j row_j k_j over the row's non-zero entries."""
    (j, a), *rest = row
    total = ks[j] * a
    add = torch.Tensor.add_ if total.numel() >= LARGE else torch.add
    for j, a in rest:
        total = add(total, ks[j], alpha=a)
    return total


def advance(y: Tensor, dt: float | Tensor, row: Terms, ks: Sequence[Tensor]) -> Tensor:
    """y + dt sum_j row_j k_j; one operation a term where dt is a float."""
    if isinstance(dt, float):
        (j, a), *rest = row
        y = torch.add(y, ks[j], alpha=dt * a)
        add = torch.Tensor.add_ if y.numel() >= LARGE else torch.add
        for j, a in rest:
            y = add(y, ks[j], alpha=dt * a)
        return y
    return y + (dt * weighted_sum(row, ks)).to(y.dtype)


def rk_step(
    f: VectorField,
    times: Sequence[Tensor],
    dt: float | Tensor,
    y: Tensor,
    k1: Tensor,
    tableau: ExplicitTableau,
    rows: Sequence[Terms],
    weights: Terms,
) -> tuple[Tensor, list[Tensor]]:
    """(y1, stages) of one step from y with slope k1; times[i] is the scalar tensor t + c_i dt.

    With all of the tableau's rows a first-same-as-last method also evaluates f(t1, y1), its last stage; with
    the last row left out it does not.
    """
    ks, stage = [k1], y
    for time, row in zip(times[1:], rows, strict=False):
        stage = advance(y, dt, row, ks)
        ks.append(f(time, stage))
    if tableau.fsal and len(ks) == tableau.stages:
        return stage, ks
    # Here the sum comes first and meets y once: half the rounding error where many small steps add up.
    return y + (weighted_sum(weights, ks) * dt).to(y.dtype), ks
