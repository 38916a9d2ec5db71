"""Computes stiff_reference.json: scipy's Radau at its tightest on each stiff test problem, and its own spread.

python tests/ode/make_stiff_reference.py
"""

import json
from pathlib import Path

import numpy as np
import scipy
from scipy.integrate import solve_ivp
from stiff_problems import PROBLEMS, StiffProblem

TARGET = Path(__file__).parent / "stiff_reference.json"


def states(problem: StiffProblem, rtol: float) -> np.ndarray:
    """The states at the problem's times, shape [times, n]."""
    solution = solve_ivp(
        lambda t, y: problem.f(t, y, np),
        (problem.times[0], problem.times[-1]),
        problem.y0,
        "Radau",
        problem.times,
        rtol=rtol,
        atol=rtol * problem.atol_per_rtol,
    )
    assert solution.success, solution.message
    return solution.y.T


def main() -> None:
    """Writes the file; `spread` is the largest difference to ten times the tolerance, over each component's own size."""
    made = {"solver": f"scipy {scipy.__version__} Radau", "problems": {}}
    for name, problem in PROBLEMS.items():
        fine, coarse = (states(problem, k * problem.reference_rtol) for k in (1, 10))
        spread = float((np.abs(fine - coarse).max(0) / np.abs(fine).max(0)).max())
        made["problems"][name] = {"rtol": problem.reference_rtol, "spread": spread, "ys": fine.tolist()}
        print(f"{name}: {spread:.1e}")
    TARGET.write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main()
