"""What makes a training step at MNIST's size faster, each apart: python benchmarks/mnist_variants.py [--csv FILE].

With --errors FILE, in the place of that: what convolutions in bfloat16 do to the test error. Both nets are trained on the
embedded digits as tier quick trains them, in training and test with and without; one row a net and seed.

The residual network with six blocks and the ODE-Net by back-propagation, as benchmarks/mnist_step.py times them: as they
are; with images and weights in the channels-last layout; with the convolutions in bfloat16, while norms, states and the
solver's step control stay in single precision; and the ODE-Net with its first step given, so that none is rejected.
Medians of the wall time of all in turns, the ratio to the same net as it is, and how far the logits move.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
from mnist_step import ARMS, BATCH, WARM_UP, make
from torch import Tensor, nn

from odestudy.learning.evaluate import error_on
from odestudy.measure.device import processor
from odestudy.nets.blocks import ODEBlock
from odestudy.nets.images import Classifier
from odestudy.ode import odeint
from odestudy.questions.images.arms import images_of
from odestudy.questions.images.fit import new_fit
from odestudy.questions.images.params import Train
from odestudy.study.load import load_study

SEEDS = range(120, 125)
TRAINED = {"ResNet 6": "resnet6", "ODE-Net, back-propagation": "odenet_backprop"}
FIRST_STEP = 0.2  # of the unit of time: the fresh net's error is then within the tolerance


class Rounded(nn.Module):
    """A convolution in bfloat16; its input and output keep their precision."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, *inputs: Tensor) -> Tensor:
        x = inputs[-1]  # of the ODE-Net after the time
        with torch.autocast(x.device.type, dtype=torch.bfloat16):
            return self.conv(*inputs).to(x.dtype)


class Started(nn.Module):
    """The ODE block with its first step given."""

    def __init__(self, block: ODEBlock) -> None:
        super().__init__()
        self.block = block

    def forward(self, y: Tensor) -> Tensor:
        s, t = self.block.solver, torch.tensor([0.0, 1.0])
        return odeint(
            self.block.f, y, t, rtol=s.rtol, atol=s.atol, method=s.method, options={"first_step": FIRST_STEP}
        )[-1]


def replaced(net: nn.Module, kind: type[nn.Module], by: Callable[[nn.Module], nn.Module]) -> None:
    """Put `by(module)` in the place of each module of a kind."""
    for name, child in list(net.named_children()):
        if isinstance(child, kind):
            setattr(net, name, by(child))
        else:
            replaced(child, kind, by)


def channels_last(net: nn.Module) -> None:
    net.to(memory_format=torch.channels_last)


VARIANTS: dict[str, Callable[[nn.Module], None]] = {
    "as it is": lambda net: None,
    "channels-last": channels_last,
    "bfloat16 in convolutions": lambda net: replaced(net, nn.Conv2d, Rounded),
    "first step given": lambda net: replaced(net, ODEBlock, Started),
}
NETS = {
    "ResNet 6": list(VARIANTS)[:3],
    "ODE-Net, back-propagation": list(VARIANTS),
}


def measure(repeats: int) -> pd.DataFrame:
    """One row a net and variant."""
    torch.manual_seed(1)
    x, y = torch.randn(BATCH, 1, 28, 28), torch.randint(10, (BATCH,))
    nets: dict[tuple[str, str], Classifier] = {}
    for name, variants in NETS.items():
        plain = make(*ARMS[name], "cpu")
        for variant in variants:
            nets[name, variant] = copy.deepcopy(plain)
            VARIANTS[variant](nets[name, variant])
    times: dict[tuple[str, str], list[float]] = {key: [] for key in nets}
    logits: dict[tuple[str, str], Tensor] = {}
    for turn in range(WARM_UP + repeats):
        for key, net in nets.items():
            images = x.to(memory_format=torch.channels_last) if key[1] == "channels-last" else x
            begun = time.perf_counter()
            net.zero_grad(set_to_none=True)
            out = net(images)
            nn.functional.cross_entropy(out, y).backward()
            if turn >= WARM_UP:
                times[key].append(time.perf_counter() - begun)
            logits[key] = out.detach()
    rows = []
    for (name, variant), taken in times.items():
        low, middle, high = statistics.quantiles(taken, n=4, method="inclusive")
        plain_logits = logits[name, "as it is"]
        moved = (logits[name, variant] - plain_logits).pow(2).mean().sqrt() / plain_logits.std()
        rows.append({
            "arm": name, "variant": variant, "median_ms": 1e3 * middle, "q1_ms": 1e3 * low, "q3_ms": 1e3 * high,
            "repeats": repeats, "over_plain": middle / statistics.median(times[name, "as it is"]),
            "logits_moved": float(moved), "nfe": evaluations(nets[name, variant], WARM_UP + repeats),
            "processor": processor(),
        })  # fmt: skip
    return pd.DataFrame(rows)


def errors(seeds: range) -> pd.DataFrame:
    """One row a net and seed: the test error after training as it is, and with convolutions in bfloat16, in per cent."""
    jobs = load_study(Path(), "quick").jobs_by["images", "train"]
    rows = []
    for name, arm in TRAINED.items():
        spec = next(job.spec for job in jobs if job.spec["arm"]["name"] == arm)
        params = Train(**{k: v for k, v in spec.items() if k in Train.model_fields} | {"seeds": list(seeds)})
        data = images_of(params, "cpu", None)
        for seed in seeds:
            row = {"arm": name, "seed": seed, "epochs": params.epochs}
            for column, variant in {
                "plain_pct": "as it is",
                "bfloat16_pct": "bfloat16 in convolutions",
            }.items():
                fit = new_fit(params, data, seed, "cpu")
                VARIANTS[variant](fit.net)
                fit.run(data, params.eval_batch, f"seed{seed}")
                row[column] = error_on(fit.net, data.test, params.eval_batch)
            print(row, flush=True)
            rows.append(row)
    return pd.DataFrame(rows)


def evaluations(net: nn.Module, passes: int) -> float | None:
    """Of the dynamics in one forward pass; None for a net without."""
    blocks = [m for m in net.modules() if isinstance(m, ODEBlock)]
    return blocks[0].f.forward_nfe / passes if blocks else None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--csv", type=Path, help="also write the table here")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--errors", type=Path, help="measure errors after training, and write them here")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.errors:
        errors(SEEDS).to_csv(options.errors, index=False, float_format="%.6g")
        return
    table = measure(options.repeats)
    print(table.to_string(index=False, float_format="{:.3g}".format))
    if options.csv:
        table.to_csv(options.csv, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
