"""A training step of the MNIST experiment's nets, in turns: python benchmarks/mnist_step.py [--csv FILE].

Batch 128 of random images of MNIST's size, one thread of the CPU (a GPU with --device cuda, there also with the dynamics
as CUDA graphs), Adam left out: forward, loss and backward. Medians and quartiles, and the ratio to the residual network
with six blocks. Freshly initialised nets, as at the start of training; dopri5 at a tolerance of 1e-3 takes the
evaluations that the table shows. With --train STEPS our ODE-Nets stand there a second time, after so many steps of
training on MNIST, since a trained net may take other evaluations.
"""

from __future__ import annotations

import argparse
import statistics
import time
from contextlib import ExitStack
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor, nn

from odestudy.datasets.images import load_images
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
TRAINED = ("ODE-Net, back-propagation", "ODE-Net, adjoint")


def make(arm: dict, solver: dict, device: str) -> Classifier:
    torch.manual_seed(0)
    settings = {"library": "odestudy", "method": "dopri5", "rtol": 1e-3, "atol": 1e-3, **solver}
    return make_classifier("mnist", arm, Solver(**settings)).to(device)


def train(net: Classifier, x: Tensor, y: Tensor, steps: int) -> Classifier:
    """The net after so many steps, all but the learning rate as in the experiment, whose rate rises and falls."""
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for i in torch.randperm(len(x))[: steps * BATCH].split(BATCH):
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(net(x[i]), y[i]).backward()
        optimizer.step()
    net.take_nfe()
    return net


def measure(repeats: int, device: str, train_steps: int = 0) -> pd.DataFrame:
    """One row an arm."""
    torch.manual_seed(1)
    x = torch.randn(BATCH, 1, 28, 28, device=device)
    y = torch.randint(10, (BATCH,), device=device)
    arms = ARMS | ({GRAPHS: ARMS["ODE-Net, adjoint"]} if device == "cuda" else {})
    nets = {name: make(*settings, device) for name, settings in arms.items()}
    batches = dict.fromkeys(nets, (x, y))
    if train_steps:
        x, y = (part.to(device) for part in load_images("mnist", train_size=None).train)
        for name in TRAINED:
            again = f"{name}, after {train_steps} steps"
            nets[again] = train(make(*ARMS[name], device), x, y, train_steps)
            arms, batches = arms | {again: ARMS[name]}, batches | {again: (x[:BATCH], y[:BATCH])}
    times: dict[str, list[float]] = {name: [] for name in nets}
    with ExitStack() as graphs:
        if GRAPHS in nets:
            graphs.enter_context(launched_as_graphs(nets[GRAPHS], batches[GRAPHS][0]))
        for turn in range(WARM_UP + repeats):
            for name, net in nets.items():
                begun = _now(device)
                net.zero_grad(set_to_none=True)
                images, classes = batches[name]
                nn.functional.cross_entropy(net(images), classes).backward()
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
    parser.add_argument("--train", type=int, default=0, help="steps after which nets are timed again")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(1)
    table = measure(options.repeats, options.device, options.train)
    print(table.to_string(index=False, float_format="{:.3g}".format))
    if options.csv:
        table.to_csv(options.csv, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
