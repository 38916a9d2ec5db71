"""Three kinds of bad conditioning apart (claim C17)."""

from __future__ import annotations

from typing import Any

import numpy as np

from odestudy.learning.attempt import attempt
from odestudy.questions.dynamics.params import Linear, settings
from odestudy.recovery.draws import FRESH, START, draws
from odestudy.recovery.judge import judge, matrix_of
from odestudy.recovery.learning import learn_batch, observations
from odestudy.recovery.reachable_step import needed, possible, with_room
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


def _data(k: float) -> tuple[np.ndarray, np.ndarray]:
    """Decay rates 1 and 2, orthogonal eigenvectors; the second mode is excited k times less than the first."""
    return MIX @ np.diag([-1.0, -2.0]) @ MIX.T, MIX @ np.array([1.0, 1.0 / k])


STIFF = 100.0  # ratio of rates from which the least squares and the judge integrate by an implicit method
KINDS = {"stiff": _stiff, "eigenvectors": _eigenvectors, "data": _data}


def linear(p: Linear, device: str) -> Outcome:
    """Learn linear systems whose conditioning gets worse in one of three ways, by training and by least squares.

    Training is done with the equations as given, in units of the data, and in these with steps that are long enough: the
    last treatment tells what is bad conditioning from what is a budget of steps, and knows the truth for it. Rows `runs`:
    one for each k, arm and seed, with the three condition numbers of the system and its data, how far an entry of the
    matrix must travel, and how far the optimiser can move it.
    """
    spec = settings(p)
    rows: list[Row] = []
    for k in p.ks:
        matrix, z0 = KINDS[p.problem.kind](k)
        system: dict[str, Any] = {
            "name": "linear",
            "field": "linear",
            "parameters": {"matrix": matrix.tolist()},
        }
        system |= {
            "z0": z0.tolist(),
            "horizon": p.horizon,
            "first": p.horizon / 100 / max(k, 1.0),
            "stiff": k >= STIFF,
        }
        of_k = spec | {"system": system}
        data, seeds, lost = observations(of_k)
        of_k |= {"seeds": seeds}
        about = {"k": k} | _conditions(matrix, data[0])
        for arm in ("plain", "units", "reach"):
            of_arm = of_k | {"scaled": arm != "plain", "model": "linear"}
            trained = _trained(of_arm, data, matrix, longer=arm == "reach", device=device)
            rows += [{"arm": arm} | about | row for row in [*lost, *trained]]
        rows += [{"arm": "true_form"} | about | row for row in [*lost, *_least_squares(of_k, data, matrix)]]
    return Outcome({"runs": rows})


def _trained(
    spec: dict[str, Any], data: list[Observed], matrix: np.ndarray, *, longer: bool, device: str
) -> list[Row]:
    """A row for each seed, by a rate with room for all of them where `longer` asks for it."""
    far = dict(zip(spec["seeds"], needed(spec, data, matrix, device), strict=True))
    if longer:
        spec = with_room(spec, max(far.values()))
    found = learn_batch(spec, device)
    rows = []
    for row in found.rows:
        learnt = found.fields.get(row["seed"])
        modes = {} if learnt is None else _modes(matrix_of(learnt, len(matrix)), matrix)
        travel = {"travel_needed": far[row["seed"]], "travel_possible": possible(spec)}
        rows.append(_fields(row) | travel | modes)
    return rows


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
