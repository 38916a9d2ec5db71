"""Seeds trained together as one batch: python benchmarks/batched_models.py [--csv FILE].

Each seed fits a small vector field to windows of its own of one trajectory (batch 1, at most 32 observations in 1 to 5
time units, as the question of dynamics does), with Adam, dopri5 and back-propagation. Measured in turns on one thread
of the CPU, medians and quartiles of the process's own time: training one seed after the other, and all of them as
BatchedModels with step control for each model. The parameters after training differ by rounding: their largest
difference, in float64, stands beside the times.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from odestudy.nets.dynamics import MODELS
from odestudy.ode import BatchedModels, solve, solve_batch

RTOL, ATOL, LEARNING_RATE = 1e-5, 1e-6, 0.01
SHORTEST, LONGEST, HORIZON, MOST_POINTS = 1.0, 5.0, 20.0, 32


def trajectory(dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """401 times and the states of a damped rotation from (2, 0)."""
    t = torch.linspace(0, HORIZON, 401, dtype=torch.float64)
    size = 2 * torch.exp(-0.1 * t)
    return t.to(dtype), torch.stack([size * torch.cos(t), size * torch.sin(t)], 1).to(dtype)


def window(rng: np.random.Generator, points: int) -> Tensor:
    """Indices of a window's observations, in order."""
    length = rng.uniform(SHORTEST, LONGEST)
    start = rng.uniform(0, HORIZON - length)
    per_time = (points - 1) / HORIZON
    inside = np.arange(np.ceil(start * per_time), np.floor((start + length) * per_time) + 1, dtype=np.int64)
    if len(inside) > MOST_POINTS:
        inside = np.sort(rng.choice(inside, MOST_POINTS, replace=False))
    return torch.from_numpy(inside)


def make(kind: str, seed: int, dtype: torch.dtype) -> nn.Module:
    torch.manual_seed(seed)
    return MODELS[kind](2).to(dtype)


def train_alone(kind: str, seed: int, iterations: int, dtype: torch.dtype) -> nn.Module:
    """One seed by itself."""
    (t, y), rng = trajectory(dtype), np.random.default_rng(seed)
    model = make(kind, seed, dtype)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    for _ in range(iterations):
        at = window(rng, len(t))
        ys = solve(model, y[at[0]], t[at], rtol=RTOL, atol=ATOL).raise_on_failure().ys
        optimizer.zero_grad()
        (ys - y[at]).square().mean().backward()
        optimizer.step()
    return model


def train_together(kind: str, seeds: int, iterations: int, dtype: torch.dtype) -> BatchedModels:
    """All seeds as one batch: a loss for each, their sum differentiated."""
    (t, y), rngs = trajectory(dtype), [np.random.default_rng(seed) for seed in range(seeds)]
    models = BatchedModels([make(kind, seed, dtype) for seed in range(seeds)])
    optimizer = torch.optim.Adam(models.parameters(), lr=LEARNING_RATE)
    for _ in range(iterations):
        windows = [window(rng, len(t)) for rng in rngs]
        at = nn.utils.rnn.pad_sequence(windows, batch_first=True)
        there = torch.arange(at.shape[1]) < torch.tensor([[len(w)] for w in windows])
        times = t[at].where(there, torch.nan)
        ys = solve_batch(models, y[at[:, 0]], times, rtol=RTOL, atol=ATOL).ys
        squares = (ys.transpose(0, 1) - y[at]).square().mean(2).where(there, 0.0)
        optimizer.zero_grad()
        (squares.sum(1) / there.sum(1)).sum().backward()
        optimizer.step()
    return models


def difference(kind: str, seeds: int, iterations: int) -> float:
    """Largest relative difference of a parameter tensor after training in float64."""
    together = train_together(kind, seeds, iterations, torch.float64).values()
    largest = 0.0
    for seed in range(seeds):
        for name, value in train_alone(kind, seed, iterations, torch.float64).named_parameters():
            largest = max(
                largest, float((together[name][seed] - value).detach().norm() / value.detach().norm())
            )
    return largest


def measure(kind: str, seeds: int, iterations: int, repeats: int) -> dict[str, object]:
    """One row: milliseconds per iteration of one seed and of all together, and their ratio."""
    alone: list[float] = []
    together: list[float] = []
    for turn in range(repeats + 1):  # the first is the warm-up
        one = statistics.mean(
            _timed(lambda s=s: train_alone(kind, s, iterations, torch.float32)) for s in range(3)
        )
        all_of_them = _timed(lambda: train_together(kind, seeds, iterations, torch.float32))
        if turn:
            alone.append(1e3 * one / iterations)
            together.append(1e3 * all_of_them / iterations)
    row: dict[str, object] = {"model": kind, "seeds": seeds, "iterations": iterations}
    for name, times in (("one_seed", alone), ("together", together)):
        low, _, high = statistics.quantiles(times, n=4)
        row |= {f"{name}_ms": statistics.median(times), f"{name}_q1_ms": low, f"{name}_q3_ms": high}
    row["times_one_seed"] = statistics.median(together) / statistics.median(alone)
    row["parameter_difference"] = difference(kind, seeds, iterations)
    return row


def _timed(run: Callable[[], object]) -> float:
    begun = time.process_time()
    run()
    return time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description="Seeds trained together as one batch.")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--iterations", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--csv", type=Path, default=None, help="also write the rows to this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    table = pd.DataFrame(
        [measure(kind, options.seeds, options.iterations, options.repeats) for kind in MODELS]
    )
    print(table.to_string(index=False, float_format="{:.3g}".format))
    if options.csv:
        options.csv.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(options.csv, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
