"""Specifications of small recoveries."""

from odestudy.questions.dynamics.params import PARAMS

BASE = {
    "library": "odestudy", "method": "dopri5", "rtol": 1e-5, "atol": 1e-6, "max_nfe": 20_000, "gradient": "backprop",
    "width": 8, "points": 60, "noise": 0.01, "window_min": 1.0, "window_max": 3.0, "window_points": 12,
    "piece_points": 5, "gap_weight": 1.0, "learning_rate": 0.02, "iterations": 30, "fit_iterations": 200,
    "dtype": "float64", "seeds": [0, 1],
}  # fmt: skip
SPIRAL = {
    "name": "spiral", "field": "linear", "parameters": {"matrix": [[-0.1, -1.0], [1.0, -0.1]]}, "z0": [1.0, 0.0],
    "horizon": 12.0,
}  # fmt: skip


def spec(**changes):
    return BASE | {"system": SPIRAL, "model": "linear"} | changes


def typed(task, wanted):
    """The parameters of a task, of a specification that may hold more than it takes."""
    kind = PARAMS[task]
    return kind.model_validate({"task": task} | {k: v for k, v in wanted.items() if k in kind.model_fields})
