"""On the non-stiff DETEST problems ours is as accurate and as frugal as scipy's solver of the same order."""

from functools import cache

import numpy as np
import pytest
import torch
from detest import PROBLEMS, T_END
from scipy.integrate import solve_ivp

from odestudy.ode import solve

TIMES = np.linspace(0, T_END, 21)
PAIRS = {"dopri5": "RK45", "dopri8": "DOP853"}
# The fast modes of these linear chains decay to rounding errors, which long steps at the edge of stability
# then amplify, in scipy as here: a last digit decides. The median over three such digits is the error.
CHAINS = ("B2", "B3", "C1", "C2", "C3", "C4")


@cache
def reference(name: str) -> np.ndarray:
    f, y0 = PROBLEMS[name]
    solution = solve_ivp(lambda t, y: f(t, y, np), (0, T_END), y0, "DOP853", TIMES, rtol=1e-13, atol=1e-14)
    return solution.y.T


def error(ys: np.ndarray, name: str) -> float:
    """Largest global error over the observation times, with a floor where rounding takes over."""
    return max(float(np.abs(ys - reference(name)).max()), 1e-13)


def starts(name: str) -> list[np.ndarray]:
    """The initial value, for the chains also with its last digit changed."""
    y0 = np.array(PROBLEMS[name][1])
    return [y0 * (1 + 3e-15 * k) for k in range(3 if name in CHAINS else 1)]


def ours(name: str, method: str, tol: float) -> tuple[float, int]:
    f, errors = PROBLEMS[name][0], []
    for y0 in starts(name):
        with torch.no_grad():
            solution = solve(
                lambda t, y: f(t, y, torch),
                torch.from_numpy(y0),
                torch.from_numpy(TIMES),
                method=method,
                rtol=tol,
                atol=tol,
            )
        assert solution.status == "ok", solution.message
        errors.append(error(solution.ys.numpy(), name))
    return float(np.median(errors)), solution.stats.nfe


def scipys(name: str, method: str, tol: float) -> tuple[float, int]:
    f, errors = PROBLEMS[name][0], []
    for y0 in starts(name):
        solution = solve_ivp(
            lambda t, y: f(t, y, np), (0, T_END), y0, PAIRS[method], TIMES, rtol=tol, atol=tol
        )
        errors.append(error(solution.y.T, name))
    return float(np.median(errors)), solution.nfev


@pytest.mark.parametrize("method", PAIRS)
def test_errors_and_evaluations_match_scipys(method: str) -> None:
    errors, evaluations = [], []
    for tol in (1e-3, 1e-6, 1e-9):
        for name in PROBLEMS:
            (error1, nfe1), (error2, nfe2) = ours(name, method, tol), scipys(name, method, tol)
            errors.append(error1 / error2)
            evaluations.append(nfe1 / nfe2)
    assert np.exp(np.mean(np.log(errors))) <= 1.2
    assert max(errors) <= 5
    assert np.mean(evaluations) <= 1.3
