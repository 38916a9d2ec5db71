"""Recovery of unknown dynamics from noisy observations (claims C14 to C18)."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from torch import nn
from tqdm import trange

from odestudy.integrate import Counted, Solver, integrate, named_failure
from odestudy.nets.dynamics import MODELS
from odestudy.outcome import NumericalFailure, Outcome, Row
from odestudy.systems.fields import field_of
from odestudy.systems.trajectories import (
    Observed,
    grid_around,
    in_support,
    observe,
    reference,
    signal_to_noise_db,
)

SNAPSHOTS = 5


def recover(spec: dict[str, Any], device: str) -> Outcome:
    """Train each seed by single shooting on random windows of one noisy trajectory, as the poster does.

    Rows `runs`: one a seed. Arrays: for the first seed the observations, the true and the learnt trajectory,
    the learnt trajectory during training and the error of the vector field on a grid.
    """
    rows: list[Row] = []
    arrays: dict[str, np.ndarray] = {}
    for seed in spec["seeds"]:
        rng = np.random.default_rng([seed, 0])
        system = spec["system"]
        noise = system.get("noise", spec["noise"])
        t = np.linspace(0.0, system["horizon"], spec["points"])
        try:
            data = observe(field_of(system), np.asarray(system["z0"]), t, noise, rng)
        except NumericalFailure as failure:
            rows.append({"seed": seed, "status": failure.status, "message": str(failure)})
            continue
        torch.manual_seed(seed)
        model = MODELS[spec["model"]](data.truth.shape[1]).to(device, getattr(torch, spec["dtype"]))
        row, history = _fit(model, data, spec, device, np.random.default_rng([seed, 1]), seed)
        found = _judge(model, data, spec, device)
        snr = signal_to_noise_db(data.truth, noise)
        row |= {k: v for k, v in found.items() if not isinstance(v, np.ndarray)}
        row |= {"snr_median_db": float(np.median(snr)), "snr_end_db": float(snr[-1])}
        rows.append(row)
        if seed == spec["seeds"][0]:
            arrays = {"t": data.t, "truth": data.truth, "noisy": data.noisy, "snr_db": snr, **history}
            arrays |= {k: v for k, v in found.items() if isinstance(v, np.ndarray)}
    return Outcome({"runs": rows}, {k: v.astype(np.float32) for k, v in arrays.items()})


def _solver(spec: dict[str, Any]) -> Solver:
    names = ("library", "method", "rtol", "atol", "gradient", "max_nfe")
    return Solver(**{name: spec[name] for name in names}, step=spec.get("step"))


def _window(data: Observed, spec: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
    """Indices of a random window of 1 to 5 time units (poster) with at most `window_points` points."""
    length = min(rng.uniform(spec["window_min"], spec["window_max"]), data.t[-1] - data.t[0])
    start = rng.uniform(data.t[0], data.t[-1] - length)
    inside = np.flatnonzero((data.t >= start) & (data.t <= start + length))
    if len(inside) < 2:
        first = min(int(np.searchsorted(data.t, start)), len(data.t) - 2)
        inside = np.array([first, first + 1])
    if len(inside) > spec["window_points"]:
        inside = np.sort(rng.choice(inside, spec["window_points"], replace=False))
    return inside


def _fit(
    model: nn.Module, data: Observed, spec: dict[str, Any], device: str, rng: np.random.Generator, seed: int
) -> tuple[Row, dict[str, np.ndarray]]:
    """Train `model` in place; the row tells status, cost and final loss."""
    dtype = getattr(torch, spec["dtype"])
    t = torch.as_tensor(data.t, dtype=dtype, device=device)
    z = torch.as_tensor(data.noisy, dtype=dtype, device=device)
    counted, solver = Counted(model, spec["max_nfe"]), _solver(spec)
    optimizer = torch.optim.Adam(model.parameters(), lr=spec["learning_rate"])
    losses, snapshots, seen = [], [], []
    row: Row = {"seed": seed, "status": "ok", "message": ""}
    marks = {0, *np.geomspace(10, spec["iterations"], SNAPSHOTS).round().astype(int).tolist()}
    total = [0, 0]
    iterations = spec["iterations"]
    clock = time.perf_counter()
    for i in trange(iterations, desc=f"seed {seed}", disable=None, leave=False):
        if i in marks and seed == spec["seeds"][0]:
            snapshots.append(_trajectory(model, data, data.t, spec, device))
            seen.append(i)
        try:
            index = torch.as_tensor(_window(data, spec, rng), device=device)
            predicted = integrate(counted, z[index[0]], t[index], solver)
            loss = (predicted - z[index]).square().mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            if not torch.isfinite(loss):
                row |= {"status": "non_finite", "message": f"loss is not finite at iteration {i}"}
                break
            optimizer.step()
            losses.append(loss.detach())
        except Exception as error:
            failure = named_failure(error)
            if failure is None:
                raise
            row |= {"status": failure.status, "message": f"iteration {i}: {failure}"}
            break
        finally:
            counts = counted.take()
            total = [a + b for a, b in zip(total, counts, strict=True)]
    row["train_s"] = time.perf_counter() - clock
    done = max(len(losses), 1)
    tail = losses[-max(done // 10, 1) :]
    row |= {
        "iterations_done": len(losses),
        "train_loss": float(torch.stack(tail).mean()) if tail else None,
        "nfe_forward": total[0] / done,
        "nfe_backward": total[1] / done,
        "accepted_steps": counted.accepted / done,
        "rejected_steps": counted.rejected / done,
    }
    if seed == spec["seeds"][0]:
        snapshots.append(_trajectory(model, data, data.t, spec, device))
        seen.append(len(losses))
    return row, {"process": np.stack(snapshots), "process_iteration": np.array(seen)} if snapshots else {}


def _trajectory(
    model: nn.Module, data: Observed, t: np.ndarray, spec: dict[str, Any], device: str
) -> np.ndarray:
    """The learnt system's trajectory from the true initial state, (len(t), d); NaN where it cannot be computed."""
    dtype = getattr(torch, spec["dtype"])
    solver = Solver(library=spec["library"], method="dopri5", rtol=1e-5, atol=1e-7, max_nfe=spec["max_nfe"])
    with torch.no_grad():
        z0 = torch.as_tensor(data.truth[0], dtype=dtype, device=device)
        try:
            solved = integrate(
                Counted(model, spec["max_nfe"]), z0, torch.as_tensor(t, dtype=dtype, device=device), solver
            )
        except Exception as error:
            if named_failure(error) is None:
                raise
            return np.full((len(t), data.truth.shape[1]), np.nan)
    return solved.cpu().double().numpy()


def _field_values(model: nn.Module, states: np.ndarray, spec: dict[str, Any], device: str) -> np.ndarray:
    dtype = getattr(torch, spec["dtype"])
    with torch.no_grad():
        z = torch.as_tensor(states, dtype=dtype, device=device)
        return model(torch.zeros((), dtype=dtype, device=device), z).cpu().double().numpy()


def _relative_pct(error: np.ndarray, truth: np.ndarray) -> float:
    return 100 * float(np.linalg.norm(error) / np.linalg.norm(truth))


def _judge(model: nn.Module, data: Observed, spec: dict[str, Any], device: str) -> dict[str, Any]:
    """Errors of the learnt vector field and trajectories against the truth."""
    field = field_of(spec["system"])
    grid = grid_around(data.truth)
    inside = in_support(grid, data.truth)
    wanted, got = field(0.0, grid), _field_values(model, grid, spec, device)
    learnt = _trajectory(model, data, data.t, spec, device)
    far = np.linspace(data.t[-1], 2 * data.t[-1], len(data.t))
    t_far = np.concatenate([data.t[:1], far])
    learnt_far = _trajectory(model, data, t_far, spec, device)
    try:
        truth_far = reference(field, data.truth[0], t_far)
    except NumericalFailure:  # the true system need not exist that long
        truth_far = np.full_like(learnt_far, np.nan)
    scale = float(data.truth.std())
    found: dict[str, Any] = {
        "field_error_pct": _relative_pct((got - wanted)[inside], wanted[inside]),
        "field_error_off_pct": _relative_pct((got - wanted)[~inside], wanted[~inside])
        if (~inside).any()
        else None,
        "trajectory_nrmse": float(np.sqrt(np.mean((learnt - data.truth) ** 2)) / scale),
        "extrapolation_nrmse": float(np.sqrt(np.mean((learnt_far - truth_far)[1:] ** 2)) / scale),
        "learnt": learnt,
        "grid": grid,
        "grid_error": np.linalg.norm(got - wanted, axis=1),
        "grid_inside": inside,
        "grid_learnt": got,
    }
    if spec["system"]["field"] == "linear" and spec["model"] == "linear":
        true_a = np.asarray(spec["system"]["parameters"]["matrix"])
        learnt_a = next(model.parameters()).detach().cpu().double().numpy()
        found["eigenvalue_error_pct"] = _eigenvalue_error_pct(learnt_a, true_a)
    return found


def _eigenvalue_error_pct(learnt: np.ndarray, truth: np.ndarray) -> float:
    """The best matching of the two spectra: largest distance over the largest true modulus."""
    from scipy.optimize import linear_sum_assignment

    distance = np.abs(np.linalg.eigvals(learnt)[:, None] - np.linalg.eigvals(truth)[None, :])
    rows, columns = linear_sum_assignment(distance)
    return 100 * float(distance[rows, columns].max() / np.abs(np.linalg.eigvals(truth)).max())


TASKS = {"recover": recover}
