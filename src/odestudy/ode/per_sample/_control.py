"""Step sizes of several samples at once: host arrays of shape [n], the rules those of a single solve."""

import numpy as np
import torch
from torch import Tensor

from odestudy.ode._norms import Norm, check_norm
from odestudy.ode._status import choose
from odestudy.ode._tolerance import Tolerance
from odestudy.ode.per_sample._field import SampleField, SampleProblem, download, upload


def rms_of_rows(r: Tensor) -> Tensor:
    """Root mean square of each row, shape [n]."""
    return torch.linalg.vector_norm(r, dim=1) * (max(r.shape[1], 1) ** -0.5)


def linf_of_rows(r: Tensor) -> Tensor:
    """Largest absolute value of each row, shape [n]."""
    return torch.linalg.vector_norm(r, ord=torch.inf, dim=1) if r.shape[1] else r.new_zeros(len(r))


NORMS_OF_ROWS: dict[str, Norm] = {"rms": rms_of_rows, "linf": linf_of_rows}


def norm_of_rows(norm: str | Norm | None, problem: SampleProblem) -> Norm:
    """A sample's norm for each row: by name, None for the largest rms of the state's tensors, or a callable."""
    if isinstance(norm, str):
        choose("norm", norm, NORMS_OF_ROWS)
        return NORMS_OF_ROWS[norm]
    if norm is not None:
        check_norm(norm)
        return torch.vmap(lambda row: norm(problem.restore(row)))  # type: ignore[arg-type]  # vmap is typed for any callable
    if not problem.is_tuple:
        return rms_of_rows
    sizes = [shape.numel() for shape in problem.shapes]
    return lambda r: torch.stack([rms_of_rows(part) for part in r.split(sizes, 1)]).amax(0)


def tolerance_of_rows(tolerance: Tolerance, rows: Tensor) -> Tolerance:
    """The tolerance for states of these rows alone."""
    rtol, atol = tolerance.rtol, tolerance.atol
    if isinstance(rtol, Tensor):
        rtol = rtol.index_select(0, rows)
    if isinstance(atol, Tensor):
        atol = atol.index_select(0, rows)
    return Tolerance(rtol, atol, tolerance.norm)


def finite_rows(*states: Tensor) -> np.ndarray:
    """Whether all of a row's numbers are finite, shape [n]."""
    return torch.isfinite(torch.cat(states, 1)).all(1).cpu().numpy()


@torch.no_grad()
def first_steps(
    field: SampleField, t: np.ndarray, y: Tensor, f0: Tensor, spans: np.ndarray, k: int, tol: Tolerance
) -> np.ndarray:
    """First step sizes, signed like `spans`, for one evaluation more: `initial_step` for each row."""

    def norm(r: Tensor) -> Tensor:
        return tol.norm(r / scale)

    scale, signs, lengths = tol.scale(y.abs()), np.sign(spans), np.abs(spans)
    with np.errstate(all="ignore"):
        d0, d1 = download(torch.stack([norm(y), norm(f0)]))
        h0 = np.minimum(np.where((d0 < 1e-5) | (d1 < 1e-5), 1e-6, 0.01 * d0 / d1), lengths)
        blind = ~((h0 > 0) & (h0 < np.inf))
        h0 = np.where(blind, np.minimum(1e-6 * lengths, 1e-6), h0)
        step = upload(signs * h0, y.device).to(y.dtype)[:, None]
        f1 = field(upload(t + signs * h0, y.device).to(y.dtype), y + step * f0)
        d2 = download(norm(f1 - f0)) / h0
        steepest = np.maximum(d1, d2)
        h1 = np.where(steepest <= 1e-15, np.maximum(1e-6, h0 * 1e-3), (0.01 / steepest) ** (1.0 / k))
        h = np.minimum(np.minimum(100 * h0, h1), lengths)
        h = np.where(steepest < np.inf, h, 0.01 * h0)
        return signs * np.where(blind, h0, h)
