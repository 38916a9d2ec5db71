"""The trace against the log-determinant of the map as computed, on one flow with one net (claims C19, C20)."""

from __future__ import annotations

from copy import deepcopy
from itertools import product

import numpy as np
import torch
from torch import Tensor, nn

from odestudy.densities.certificate import GAP_LIMIT_NAT
from odestudy.densities.fields import Field, LinearField
from odestudy.densities.folds import FoldWatch
from odestudy.densities.law import closed_form_error, derivative_mismatch
from odestudy.densities.laws import Gaussian, Target
from odestudy.densities.normal import standard_normal
from odestudy.densities.plane import integral, lattice
from odestudy.densities.reference import Reference, reference
from odestudy.densities.training import Recipe, fit
from odestudy.densities.transport import Grid, log_density, transport
from odestudy.densities.work import PROBES
from odestudy.integrate import failed
from odestudy.measure.fits import log_slope
from odestudy.questions.density.entries import target_in
from odestudy.questions.density.params import Gap, LinearFlow, LinearGap, TrainedGap
from odestudy.runtime.outcome import Outcome, Row

ESTIMATES = tuple(PROBES)
SLOPE_POINTS = 4  # steps of a slope
ROUNDINGS = 1000  # a gap of so many roundings is not of them


def gap(params: LinearGap | TrainedGap, device: str) -> Outcome:
    """Compare the formulas on one flow, step by step, against the flow to a tight tolerance.

    Rows `runs`: one a seed, method, step, precision and formula. `limits`: one a seed and method. `slopes`: one a
    seed, method and precision. `integrals`: one a seed, method, step and formula. `law`: one a seed, the identity itself. Arrays: for the first seed the
    density on a grid by each formula at each coarse step of Euler's method.
    """
    rows: dict[str, list[Row]] = {"runs": [], "limits": [], "slopes": [], "integrals": [], "law": []}
    arrays: dict[str, np.ndarray] = {}
    for seed in params.seeds:
        try:
            found, pictures = _compared(params, seed, device)
            arrays = arrays or pictures
        except Exception as error:
            found = {"runs": [failed(error)]}
        for name, mine in found.items():
            rows[name] += [{"seed": seed} | row for row in mine]
    return Outcome(rows, arrays)


def _compared(
    params: LinearGap | TrainedGap, seed: int, device: str
) -> tuple[dict[str, list[Row]], dict[str, np.ndarray]]:
    """All rows of one seed by their names, and its densities on a grid."""
    field, target = _flow(params, seed, device)
    x = target.sample(params.samples, np.random.default_rng([seed, 2])).to(device)
    truth = reference(field, x)
    runs = [row for precision in params.precisions for row in _sweep(field, x, truth, params, precision)]
    rows = {"runs": runs, "limits": _limits(runs), "slopes": _slopes(runs)}
    rows["law"] = [{"status": "ok"} | _law(field, truth)]
    pictures: dict[str, np.ndarray] = {}
    if isinstance(params, TrainedGap):
        rows["integrals"], pictures = _integrals(field, target, params, device)
    return rows, pictures


def _flow(params: LinearGap | TrainedGap, seed: int, device: str) -> tuple[nn.Module, Target]:
    """The flow that the entry names, in float64, with the distribution that its data have."""
    if isinstance(params.flow, LinearFlow):
        linear = LinearField(params.flow.matrix).requires_grad_(False)
        data = Gaussian(linear.data_root().numpy())
        return linear.to(device), data
    assert isinstance(params, TrainedGap), "its class has refused any other"
    target = target_in(params.flow.target)
    torch.manual_seed(seed)
    field = Field(target.d, params.width).to(device, getattr(torch, params.dtype))
    grid = Grid(params.train_method, params.train_steps)
    recipe = Recipe("structured_trace", grid, params.iterations, params.batch, params.learning_rate)
    fit(field, target, recipe, seed)
    return field.double().requires_grad_(False), target


def _sweep(field: nn.Module, x: Tensor, truth: Reference, params: Gap, precision: str) -> list[Row]:
    """All methods, steps and formulas at one precision; the estimates only with the method that names them."""
    dtype = getattr(torch, precision)
    narrow, points = deepcopy(field).to(dtype), x.to(dtype)  # a copy: rounding must not come back
    exact = standard_normal(truth.z) + truth.trace
    rows = []
    tried = [(method, 2**k) for method, most in params.methods.items() for k in range(most + 1)]
    for method, steps in tried:
        grid = Grid(method, steps)
        watch = FoldWatch()
        end, base = transport(narrow, points, grid, watch)
        names = ["trace", "logdet"]
        if method == params.estimate_method and steps <= params.estimate_steps:
            names += ESTIMATES
        for name in names:
            gain = base if name == "logdet" else transport(narrow, points, grid, name)[1]
            row = {"method": method, "step": grid.h, "precision": precision, "formula": name}
            row |= _distances(gain, base, standard_normal(end) + gain - exact)
            if name == "logdet" and precision == "float64":
                row |= {"least_det": watch.least_det, "least_singular": watch.least_singular}
                row["folded_pct"] = 100 * float(watch.folded.double().mean())
            rows.append(row)
    return rows


def _distances(gain: Tensor, base: Tensor, error: Tensor) -> Row:
    if not (torch.isfinite(gain).all() and torch.isfinite(base).all()):
        return {"status": "non_finite", "message": "the change of the log-density is not finite"}
    apart = (gain - base).double()
    return {
        "status": "ok",
        "message": "",
        "gap_nat": float(apart.abs().mean()),
        "gap_max_nat": float(apart.abs().max()),
        "bias_nat": float(apart.mean()),
        "error_nat": float(error.double().abs().mean()),
    }


def _limits(runs: list[Row]) -> list[Row]:
    """For each method, in float64: the largest step from which on the gap stays small, and nothing folds."""
    rows = []
    for method in dict.fromkeys(row["method"] for row in runs):
        mine = [r for r in runs if r["method"] == method and r["precision"] == "float64"]
        trace = [r for r in mine if r["formula"] == "trace"]
        logdet = [r for r in mine if r["formula"] == "logdet"]
        small = _largest([(r["step"], r.get("gap_nat", np.inf) < GAP_LIMIT_NAT) for r in trace])
        whole = _largest([(r["step"], r.get("folded_pct", 100.0) == 0) for r in logdet])
        row: Row = {"method": method, "largest_step": small, "largest_unfolded_step": whole, "status": "ok"}
        rows.append(row | {"gap_limit_nat": GAP_LIMIT_NAT})
    return rows


def _slopes(runs: list[Row]) -> list[Row]:
    """For each method and precision: the slope of the gap over the smallest steps at which rounding does not hide it.

    The interval is that of the regression. Where fewer than three such steps were run there is no slope.
    """
    rows: list[Row] = []
    for method, precision in dict.fromkeys((r["method"], r["precision"]) for r in runs):
        floor = ROUNDINGS * torch.finfo(getattr(torch, precision)).eps
        mine = [
            r for r in runs if (r["method"], r["precision"], r["formula"]) == (method, precision, "trace")
        ]
        clear = sorted((r["step"], r["gap_nat"]) for r in mine if r.get("gap_nat", 0.0) > floor)[
            :SLOPE_POINTS
        ]
        row: Row = {
            "method": method,
            "precision": precision,
            "status": "ok",
            "order": Grid(method, 1).stepper.order,
        }
        if len(clear) >= 3:
            slope = log_slope(*zip(*clear, strict=True))
            row |= {"slope": slope.value, "slope_low": slope.low, "slope_high": slope.high}
            row |= {"smallest_step": clear[0][0], "slope_points": slope.n}
        rows.append(row)
    return rows


def _largest(tried: list[tuple[float, bool]]) -> float | None:
    """The largest step such that it and all smaller ones are good; None where the smallest is not."""
    found = None
    for step, good in sorted(tried):
        if not good:
            break
        found = step
    return found


def _law(field: nn.Module, truth: Reference) -> Row:
    """How well d log p / dt = -tr holds where the flow is solved to a tight tolerance."""
    row = {"law_nat": float((truth.trace - truth.logdet).abs().max())}
    if isinstance(field, LinearField):
        row["law_nat"] = max(row["law_nat"], closed_form_error(field, truth))
        row |= derivative_mismatch(field)
    return row


def _integrals(
    field: nn.Module, target: Target, params: TrainedGap, device: str
) -> tuple[list[Row], dict[str, np.ndarray]]:
    """The integral of the density over the plane, by formula, method and coarse step."""
    points, cell, extent = lattice(target, params.grid_points, device)
    rows: list[Row] = []
    arrays = {"extent": extent, "target": target.log_prob(points).exp().cpu().numpy()}
    for method, steps in product(params.integral_methods, params.integral_steps):
        for formula in ("trace", "logdet"):
            density = log_density(field, points, Grid(method, steps), formula).exp()
            total = integral(density, cell)
            rows.append(
                {"method": method, "step": 1 / steps, "formula": formula, "integral": total} | _ok(total)
            )
            if method == "euler":
                arrays[f"{formula}_{steps}"] = density.cpu().numpy()
    return rows, {k: v.astype(np.float32) for k, v in arrays.items()}


def _ok(total: float) -> Row:
    return {"status": "ok" if np.isfinite(total) else "non_finite", "message": ""}
