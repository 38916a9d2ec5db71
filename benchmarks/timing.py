"""How long a step takes: contenders in turns, medians and quartiles, and where the time goes."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from peers import Training
from workloads import Workload

from odestudy.ode import solve

WARM_UP, LEAST = 2, 5  # turns that are not counted; turns that are counted whatever they take
SETTLING_S = 0.03


@dataclass(frozen=True)
class Contender:
    """A way to train, of a library; `kind` says which of torchdiffeq's it is held against.

    `without` are the workloads on which it is not measured, to save time.
    """

    name: str
    library: str
    kind: str
    make: Callable[[Workload], Training]
    without: tuple[str, ...] = ()


def measure(w: Workload, contenders: list[Contender], repeats: int, budget_s: float) -> pd.DataFrame:
    """One row a contender, all of them timed in turns: `repeats` of them, fewer where budget_s is over before."""
    oracle = w.oracle()
    rows: list[dict[str, Any]] = []
    steps: list[Callable[[], None]] = []
    for contender in contenders:
        try:
            made = contender.make(w)
            first_s = timed(w.t.device, made.step)
        except ValueError as reason:
            print(f"{w.name}: {contender.name} is left out: {reason}")
            continue
        error = float((made.gradient() - oracle).norm() / oracle.norm())
        forward, backward = made.nfe() or (None, None)
        row = {"workload": w.name, "contender": contender.name, "kind": contender.kind}
        rows.append(
            {**row, "nfe": forward, "nfe_backward": backward, "gradient_error": error, "first_s": first_s}
        )
        steps.append(made.step)
    with torch.no_grad():
        floor_nfe = solve(w.f, w.y0, w.t, rtol=w.rtol, atol=w.atol, method="dopri5").stats.nfe
    rows.insert(0, {"workload": w.name, "contender": "floor", "kind": "floor", "nfe": floor_nfe})
    steps.insert(0, lambda: w.floor(floor_nfe))
    for row, spread in zip(rows, in_turns(w.t.device, steps, repeats, budget_s), strict=True):
        row.update(spread)
    medians = {row["contender"]: row["median_ms"] for row in rows}
    for row in rows[1:]:
        peer = "torchdiffeq" if row["kind"] == "backprop" else "torchdiffeq, adjoint"
        row["to_floor"] = row["median_ms"] / medians["floor"]
        row["speedup"] = medians.get(peer, math.nan) / row["median_ms"]
    return pd.DataFrame(rows)


def in_turns(
    device: torch.device, steps: list[Callable[[], None]], repeats: int, budget_s: float
) -> list[dict[str, float]]:
    """Of each step the median and the quartiles of its time, all of them timed in turns."""
    times: list[list[float]] = [[] for _ in steps]
    begun = time.perf_counter()
    for turn in range(WARM_UP + repeats):
        if turn >= WARM_UP + LEAST and time.perf_counter() - begun > budget_s:
            break
        for step, found in zip(steps, times, strict=True):
            took = _settled(device, step)
            if turn >= WARM_UP:
                found.append(took)
    return [_spread(found) for found in times]


def _settled(device: torch.device, step: Callable[[], None]) -> float:
    """The last step of SETTLING_S: a training repeats its step, and does not find the caches full of others'."""
    begun = time.perf_counter()
    took = timed(device, step)
    while time.perf_counter() - begun < SETTLING_S:
        took = timed(device, step)
    return took


def timed(device: torch.device, step: Callable[[], None]) -> float:
    """How long one step takes, in seconds."""
    begun = _now(device)
    step()
    return _now(device) - begun


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _spread(times: list[float]) -> dict[str, float]:
    low, middle, high = statistics.quantiles(times, n=4, method="inclusive")
    return {"median_ms": 1e3 * middle, "q1_ms": 1e3 * low, "q3_ms": 1e3 * high, "repeats": len(times)}


def profile(w: Workload, repeats: int) -> dict[str, float | str]:
    """Where the time of our eager step goes: medians (ms) of f's evaluations and of all, forward and backward."""
    spent: list[float] = []
    inner = w.f.forward

    def stopped(*arguments: Any) -> Any:
        begun = _now(w.t.device)
        result = inner(*arguments)
        spent[-1] += _now(w.t.device) - begun
        return result

    whole: dict[str, list[float]] = {"forward_ms": [], "backward_ms": [], "f_backward_ms": []}
    for _ in range(WARM_UP + repeats):
        w.f.zero_grad(set_to_none=True)
        spent.append(0.0)
        w.f.forward = stopped
        begun = _now(w.t.device)
        solution = solve(w.f, w.y0, w.t, rtol=w.rtol, atol=w.atol, method="dopri5")
        loss = w.loss(solution.ys)
        middle = _now(w.t.device)
        loss.backward()
        whole["forward_ms"].append(middle - begun)
        whole["backward_ms"].append(_now(w.t.device) - middle)
        w.f.forward = inner
        whole["f_backward_ms"].append(w.floor_backward_s(solution.stats.nfe))
    found = {
        name: round(1e3 * statistics.median(times[WARM_UP:]), 4)
        for name, times in {**whole, "f_forward_ms": spent}.items()
    }
    return {"workload": w.name, **found}
