"""What trainings of the MNIST experiment get done side by side on one GPU: python benchmarks/sharing.py [--csv FILE]

Each of n processes trains the net of an arm on random images of MNIST's size for some seconds, all of them at the same
time; a row has the steps of all in a second. From the number at which these grow no more, jobs only wait for each
other: `make study GPU_SHARE=n`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from mnist_step import ARMS, BATCH, make
from torch import nn

WARM_UP_STEPS = 5


def train(arm: str, device: str, barrier: Any, seconds: float, counts: Any) -> None:
    """One process: warm up, wait for the others, train, count."""
    torch.set_num_threads(1)
    net = make(*ARMS[arm], device)
    optimizer = torch.optim.Adam(net.parameters())
    x = torch.randn(BATCH, 1, 28, 28, device=device)
    y = torch.randint(10, (BATCH,), device=device)
    steps, begun = 0, None
    while begun is None or time.perf_counter() - begun < seconds:
        if steps == WARM_UP_STEPS and begun is None:
            barrier.wait()
            steps, begun = 0, time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        float(loss.detach())  # waits, so that no steps are queued behind the end
        steps += 1
    counts.put(steps / (time.perf_counter() - begun))


def together(arm: str, n: int, device: str, seconds: float) -> dict[str, Any]:
    """The row of n processes."""
    context = multiprocessing.get_context("spawn")
    barrier, counts = context.Barrier(n), context.Queue()
    workers = [context.Process(target=train, args=(arm, device, barrier, seconds, counts)) for _ in range(n)]
    for worker in workers:
        worker.start()
    each = [counts.get(timeout=120 + seconds) for _ in workers]
    for worker in workers:
        worker.join()
    return {"arm": arm, "processes": n, "steps_s": sum(each), "slowest_steps_s": min(each)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--csv", type=Path, help="also write the table here")
    parser.add_argument("--arm", choices=list(ARMS), default="ODE-Net, back-propagation")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 4, 8, 12])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda")
    options = parser.parse_args()
    rows = []
    for n in options.processes:
        rows.append(together(options.arm, n, options.device, options.seconds))
        table = pd.DataFrame(rows)
        if options.csv:  # after each row, so that none is lost if time runs out
            table.to_csv(options.csv, index=False, float_format="%.6g")
    print(table.to_string(index=False, float_format="{:.3g}".format))


if __name__ == "__main__":
    main()
