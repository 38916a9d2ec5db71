"""A training step of the MNIST experiment's nets, in turns: python benchmarks/mnist_step.py [--csv FILE].

Batch 128 of random images of MNIST's size, one thread of the CPU (a GPU with --device cuda, there also with the dynamics
as CUDA graphs), Adam left out: forward, loss and backward. Medians and quartiles, and the ratio to the residual network
with six blocks. Freshly initialised nets, as at the start of training; dopri5 at a tolerance of 1e-3 takes the
evaluations that the table shows.
"""

from __future__ import annotations

import argparse
import statistics
import time
from contextlib import ExitStack
from pathlib import Path

import pandas as pd
import torch
from torch import nn

from odestudy.integrate import Solver
from odestudy.learning.graphs import launched_as_graphs
from odestudy.nets.images import Classifier, is_ode, make_classifier

BATCH, WARM_UP = 128, 2
ARMS = {
    "ResNet 6": ({"net": "resnet", "blocks": 6}, {}),
    "ResNet 1": ({"net": "resnet", "blocks": 1}, {}),
    "ODE-Net, back-propagation": ({"net": "odenet"}, {"gradient": "backprop"}),
    "ODE-Net, adjoint": ({"net": "odenet"}, {"gradient": "adjoint"}),
    "ODE-Net, back-propagation of torchdiffeq": (
        {"net": "odenet"},
        {"gradient": "backprop", "library": "torchdiffeq"},
    ),
}
GRAPHS = "ODE-Net, adjoint, CUDA graphs"


def make(arm: dict, solver: dict, device: str) -> Classifier:
    torch.manual_seed(0)
    settings = {"library": "odestudy", "method": "dopri5", "rtol": 1e-3, "atol": 1e-3, **solver}
    return make_classifier("mnist", arm, Solver(**settings)).to(device)


def measure(repeats: int, device: str) -> pd.DataFrame:
    """One row an arm."""
    torch.manual_seed(1)
    x = torch.randn(BATCH, 1, 28, 28, device=device)
    y = torch.randint(10, (BATCH,), device=device)
    arms = ARMS | ({GRAPHS: ARMS["ODE-Net, adjoint"]} if device == "cuda" else {})
    nets = {name: make(*settings, device) for name, settings in arms.items()}
    times: dict[str, list[float]] = {name: [] for name in nets}
    with ExitStack() as graphs:
        if GRAPHS in nets:
            graphs.enter_context(launched_as_graphs(nets[GRAPHS], x))
        for turn in range(WARM_UP + repeats):
            for name, net in nets.items():
                begun = _now(device)
                net.zero_grad(set_to_none=True)
                nn.functional.cross_entropy(net(x), y).backward()
                if turn >= WARM_UP:
                    times[name].append(_now(device) - begun)
    rows = []
    for (name, (arm, _)), taken in zip(arms.items(), times.values(), strict=True):
        low, middle, high = statistics.quantiles(taken, n=4, method="inclusive")
        forward, backward = nets[name].take_nfe() if is_ode(arm) else (None, None)
        turns = WARM_UP + repeats
        rows.append({
            "arm": name, "median_ms": 1e3 * middle, "q1_ms": 1e3 * low, "q3_ms": 1e3 * high, "repeats": repeats,
            "nfe": forward and forward / turns, "nfe_backward": backward and backward / turns,
            "to_resnet6": middle / statistics.median(times["ResNet 6"]),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _now(device: str) -> float:
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--csv", type=Path, help="also write the table here")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(1)
    table = measure(options.repeats, options.device)
    print(table.to_string(index=False, float_format="{:.3g}".format))
    if options.csv:
        table.to_csv(options.csv, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
