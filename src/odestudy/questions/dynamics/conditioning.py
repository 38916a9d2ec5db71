"""Kinds of bad conditioning apart (claim C17)."""

from __future__ import annotations

from typing import Any

import numpy as np

from odestudy.learning.attempt import attempt
from odestudy.questions.dynamics.params import Linear, settings
from odestudy.questions.dynamics.recover import batches
from odestudy.recovery.draws import FRESH, START, draws
from odestudy.recovery.judge import judge, matrix_of
from odestudy.recovery.learning import learn_batch, observations
from odestudy.recovery.reachable_step import needed, possible
from odestudy.recovery.true_form import true_form
from odestudy.runtime.outcome import Outcome, Row
from odestudy.systems.trajectories import Observed

MIX = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)  # so that no mode lies along an axis


def _stiff(k: float) -> tuple[np.ndarray, np.ndarray]:
    """Decay rates 1 and k, orthogonal eigenvectors, both modes excited alike."""
    return np.diag([-1.0, -k]), np.array([1.0, 1.0])


def _eigenvectors(k: float) -> tuple[np.ndarray, np.ndarray]:
    """Decay rates 1 and 1.1, eigenvectors that are nearly parallel: not stiff, far from normal."""
    return np.array([[-1.0, k], [0.0, -1.1]]), np.array([0.0, 1.0])


def _rotated(k: float) -> tuple[np.ndarray, np.ndarray]:
    """The same, but along no axis, so that no choice of a unit for each state undoes it."""
    matrix, z0 = _eigenvectors(k)
    return MIX @ matrix @ MIX.T, MIX @ z0


def _data(k: float) -> tuple[np.ndarray, np.ndarray]:
    """Decay rates 1 and 2, orthogonal eigenvectors; the second mode is excited k times less than the first."""
    return MIX @ np.diag([-1.0, -2.0]) @ MIX.T, MIX @ np.array([1.0, 1.0 / k])


STIFF = 100.0  # ratio of rates from which the least squares and the judge integrate by an implicit method
KINDS = {"stiff": _stiff, "eigenvectors": _eigenvectors, "rotated": _rotated, "data": _data}
# Scaling of equations and loss as in Kim et al. 2021: of the states alone, or of time as well, whose unit is then the
# interval between two observations, so that no entry of the matrix is far from one. There pieces are single intervals,
# since a random matrix in that unit grows within a few of them.
TREATMENTS: dict[str, dict[str, Any]] = {
    "plain": {"scaled": False, "loss": "mean_square"},
    "units": {"scaled": True, "loss": "normalised"},
    "time": {"scaled": True, "loss": "normalised", "piece_points": 2},
}
ERRORS = ("field_error_pct", "slow_error_pct", "fast_error_pct")  # all of which tell whether it is learnt


def linear(p: Linear, device: str) -> Outcome:
    """Learn linear systems whose conditioning gets worse in one of four ways, by training and by least squares.

    Rows `runs`: one for each k, arm and seed, with the three condition numbers of the system and its data, how far an
    entry of the matrix must travel and how far the optimiser can move it, the errors, and whether the system is learnt:
    the field on the data's support and both decay rates within `learnt_pct`.
    """
    spec = settings(p)
    spec["iterations"] = max(1, round(p.share * p.iterations))
    rows: list[Row] = []
    for k in p.ks:
        matrix, z0 = KINDS[p.problem.kind](k)
        of_k = spec | {"system": _system(p, k, matrix, z0)}
        data, seeds, lost = observations(of_k)
        of_k |= {"seeds": seeds}
        about = {"k": k, "share": p.share} | _conditions(matrix, data[0])
        for arm in p.arms:
            if arm == "true_form":
                found = _least_squares(of_k, data, matrix)
            else:
                found = _trained(_treated(of_k, arm), data, matrix, device=device)
            rows += [{"arm": arm} | about | _learnt(row, p.learnt_pct) for row in [*lost, *found]]
    return Outcome({"runs": rows})


def _system(p: Linear, k: float, matrix: np.ndarray, z0: np.ndarray) -> dict[str, Any]:
    return {
        "name": "linear",
        "field": "linear",
        "parameters": {"matrix": matrix.tolist()},
        "z0": z0.tolist(),
        "horizon": p.horizon,
        "first": p.horizon / 100 / max(k, 1.0),
        "stiff": k >= STIFF,
    }


def _treated(spec: dict[str, Any], arm: str) -> dict[str, Any]:
    interval = spec["system"]["horizon"] / (spec["points"] - 1)
    unit = {"duration": interval} if arm == "time" else {}
    return spec | TREATMENTS[arm] | {"model": "linear", "system": spec["system"] | unit}


def _trained(spec: dict[str, Any], data: list[Observed], matrix: np.ndarray, *, device: str) -> list[Row]:
    """A row for each seed."""
    far = dict(zip(spec["seeds"], needed(spec, data, matrix, device), strict=True))
    rows = []
    for seeds in batches(spec):
        found = learn_batch(spec | {"seeds": seeds}, device)
        for row in found.rows:
            learnt = found.fields.get(row["seed"])
            modes = {} if learnt is None else _modes(matrix_of(learnt, len(matrix)), matrix)
            travel = {"travel_needed": far[row["seed"]], "travel_possible": possible(spec)}
            rows.append(_fields(row) | travel | modes)
    return rows


def _learnt(row: Row, most_pct: float) -> Row:
    """A training that failed, or whose errors are missing or not finite, has not learnt it."""
    errors = [row.get(name) for name in ERRORS]
    good = row["status"] == "ok" and all(e is not None and e <= most_pct for e in errors)
    return row | {"learnt": int(good)}


def _conditions(matrix: np.ndarray, data: Observed) -> Row:
    values, vectors = np.linalg.eig(matrix)
    return {
        "stiffness": float(np.abs(values.real).max() / np.abs(values.real).min()),
        "eigenvector_condition": float(np.linalg.cond(vectors)),
        "data_condition": float(np.linalg.cond(data.states)),
    }


def _least_squares(spec: dict[str, Any], data: list[Observed], matrix: np.ndarray) -> list[Row]:
    rows = []
    for seed, one in zip(spec["seeds"], data, strict=True):
        rows.append({"seed": seed} | attempt(_judged_true_form, seed, one, spec, matrix))
    return rows


def _judged_true_form(seed: int, data: Observed, spec: dict[str, Any], matrix: np.ndarray) -> Row:
    learnt, roll = true_form(data, spec, draws(spec, seed, START))
    judged, _ = judge(learnt, roll, data, spec, draws(spec, seed, FRESH))
    return _fields(judged) | _modes(matrix_of(learnt, len(matrix)), matrix)


def _fields(row: Row) -> Row:
    wanted = ("seed", "status", "message", "field_error_pct", "trajectory_nrmse", "train_s", "nfe_forward")
    return {name: row[name] for name in wanted if name in row}


def _modes(found: np.ndarray, truth: np.ndarray) -> Row:
    """Relative errors of the slow and of the fast eigenvalue, matched by size of their real part."""
    got, wanted = (sorted(np.linalg.eigvals(a), key=lambda v: abs(v.real)) for a in (found, truth))
    errors = [100 * abs(g - w) / abs(w) for g, w in zip(got, wanted, strict=True)]
    return {"slow_error_pct": float(errors[0]), "fast_error_pct": float(errors[-1])}
