"""Identities that hold to the last bit or to rounding: blocks and layers (C01, C30), and a picture (C25)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import torch
from torch import Tensor

from odestudy.measure.fits import log_slope
from odestudy.ode import solve
from odestudy.questions.gradients.bits import differing
from odestudy.questions.gradients.blocks import NETS, euler, results, stacked
from odestudy.questions.gradients.fields import TanhNet
from odestudy.questions.gradients.layers import ADAMS_BASHFORTH, concatenated, dense_weights, windowed
from odestudy.questions.gradients.params import Identities
from odestudy.questions.gradients.problems import problem_of
from odestudy.questions.gradients.products import carried
from odestudy.runtime.outcome import Outcome, Row

FROM_SOLVER = (1, 4, 5, 6)  # explicit Adams of 2 and 3 steps is RK4 in our solver, as in torchdiffeq


def identities(params: Identities, device: str) -> Outcome:
    """All of them on one net or problem each.

    Rows `runs`: one a block, arithmetic, depth, step and library. `dense`: one a number of predecessors and form.
    `orders`: one a number of predecessors, kind and draw of weights, and step. `weights`: one a number of predecessors and
    place. Arrays: a tangent and a cotangent carried along a trajectory in space.
    """
    seed = params.seeds[0]
    rows = {
        "runs": [row for precision in params.precisions for row in _blocks(precision, seed)],
        "dense": [row for k in FROM_SOLVER for row in _layers(k, params.layers, seed)],
        "orders": [row for k in ADAMS_BASHFORTH for row in _orders(k, params.halvings, seed, params.draws)],
        "weights": [row for k in ADAMS_BASHFORTH for row in _weights(k)],
    }
    arrays = carried(problem_of(params.picture), params.picture_points)
    return Outcome({name: [{"seed": seed} | row for row in found] for name, found in rows.items()}, arrays)


def _blocks(precision: str, seed: int) -> list[Row]:
    """Each block against Euler's method with a step of one, once and six times, and against a step of one half."""
    rows = []
    for net, depth, step, library in product(NETS, (1, 6), (1.0, 0.5), ("odestudy", "torchdiffeq")):
        if (depth, library) != (1, "odestudy") and step != 1:
            continue
        torch.manual_seed(seed)
        block, f, y = NETS[net](getattr(torch, precision))
        one, other = results(stacked(block, depth), f, y), results(euler(f, depth, step, library), f, y)
        row: Row = {"net": net, "precision": precision, "depth": depth, "step": step, "library": library}
        row |= {"status": "ok", "message": "", "elements": sum(value.numel() for value in one.values())}
        rows.append(row | {"differing": sum(differing(one[name], other[name]) for name in one)})
    return rows


def _layers(k: int, layers: int, seed: int) -> list[Row]:
    """Layers that see k predecessors against the solver's own method, from the solver's own first k states."""
    torch.manual_seed(seed)
    f, h = TanhNet(3, 16).double(), 1 / 16
    method = {"method": "euler"} if k == 1 else {"method": "explicit_adams", "options": {"max_order": k}}
    t = torch.arange(layers + k, dtype=torch.float64) * h
    with torch.no_grad():
        states = solve(f, torch.randn(3, dtype=torch.float64), t, grid=t, **method).ys
        assert isinstance(states, Tensor), "one tensor in, one tensor out"
        start, truth = list(states[:k]), states[k:]
        weights = ADAMS_BASHFORTH[k]
        found = {
            "window": torch.stack(windowed(f.net, start, [float(b) for b in weights], h, layers)),
            "dense": torch.stack(concatenated(f.net, start, weights, h, layers)),
        }
    return [
        {
            "k": k, "form": form, "elements": y.numel(), "differing": differing(y, truth),
            "largest_difference": float((y - truth).abs().max()), "status": "ok",
        }
        for form, y in found.items()
    ]  # fmt: skip


def _orders(k: int, halvings: int, seed: int, draws: int) -> list[Row]:
    """The order that each kind of weights has on the logistic equation, from exact starting values."""
    rng = np.random.default_rng([seed, k])
    adams = np.array([float(b) for b in ADAMS_BASHFORTH[k]])
    cases = [("adams", 0, adams)]
    for draw in range(draws):
        noise = rng.normal(0, 0.3, k)
        if k > 1:  # one weight of sum one is Euler's
            cases.append(("sum_one", draw, adams + noise - noise.mean()))
        cases.append(("free", draw, adams + noise))
    rows = []
    steps = [16 * 2**i for i in range(halvings + 1)]
    for kind, draw, weights in cases:
        errors = [_logistic_error(weights.tolist(), n) for n in steps]
        asymptotic = [(1 / n, e) for n, e in zip(steps, errors, strict=True) if e > 1e-12][-4:]
        slope = log_slope(*zip(*asymptotic, strict=True))
        fit = {"order": slope.value, "order_low": slope.low, "order_high": slope.high}
        rows += [
            {"k": k, "weights": kind, "draw": draw, "step": 1 / n, "error": e, "status": "ok"} | fit
            for n, e in zip(steps, errors, strict=True)
        ]
    return rows


def _logistic_error(weights: Sequence[float], steps: int) -> float:
    """The error at t = 4 of y' = y (1 - y), y(0) = 0.1, relative to the solution."""
    h, k = 4 / steps, len(weights)
    exact: Callable[[Tensor], Tensor] = lambda t: 1 / (1 + 9 * torch.exp(-t))
    start = list(exact(h * torch.arange(k, dtype=torch.float64)))
    end = windowed(lambda y: y * (1 - y), start, weights, h, steps - k + 1)[-1]
    truth = exact(torch.tensor(4.0, dtype=torch.float64))
    return float((end - truth).abs() / truth)


def _weights(k: int) -> list[Row]:
    """The weight of each predecessor, and that of its feature in a DenseNet without a running state."""
    last = dense_weights(ADAMS_BASHFORTH[k], k + 1)[-1]
    return [
        {
            "k": k,
            "predecessor": j + 1,
            "window_weight": float(b),
            "dense_weight": float(last[-1 - j]),
            "status": "ok",
        }
        for j, b in enumerate((*ADAMS_BASHFORTH[k], 0))
    ]
