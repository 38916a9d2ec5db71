"""Images: accuracy, time and memory of the ODE-Net against residual networks (claims C04 to C13, C29)."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from odestudy.datasets.images import Images, load_images
from odestudy.integrate import Solver, named_failure
from odestudy.measure.clock import now_s, time_repeats
from odestudy.measure.memory import peak_mib, saved_for_backward_mib
from odestudy.nets.images import Classifier, ODEBlock
from odestudy.outcome import Outcome, Row

SIZES = {"digits": "digits", "mnist": "mnist", "fashion": "mnist"}


def train(spec: dict[str, Any], device: str) -> Outcome:
    """Train one arm on one data set, for each seed; the test set is opened once, at the end.

    Rows: `runs`, one a seed; `epochs`, one a seed and epoch. Arrays: for each seed which test images are right.
    """
    data = load_images(
        spec["dataset"], train_size=spec.get("train_size"), dtype=getattr(torch, spec["dtype"])
    )
    runs: list[Row] = []
    epochs: list[Row] = []
    arrays: dict[str, np.ndarray] = {}
    for seed in spec["seeds"]:
        torch.manual_seed(seed)
        net = _classifier(spec, _solver(spec)).to(device)
        row: Row = {"seed": seed, "status": "ok", "message": "", "parameters": net.parameter_count()}
        clock = now_s(device)
        try:
            _train_epochs(net, data, spec, seed, device, epochs)
            row["train_s"] = now_s(device) - clock
            right = _right(net, data.test, spec, device)
            row |= {
                "test_error_pct": _error_pct(right),
                "test_errors": int((~right).sum()),
                "test_images": len(right),
            }
            row["validation_error_pct"] = _error_pct(_right(net, data.validation, spec, device))
            if spec["arm"]["net"] == "odenet":
                row |= _refined(net, data, spec, device)
            arrays[f"right_seed{seed}"] = right
        except Exception as error:
            failure = named_failure(error)
            if failure is None:
                raise
            row |= {"status": failure.status, "message": str(failure)}
        runs.append(row)
    return Outcome({"runs": runs, "epochs": epochs}, arrays)


def _classifier(spec: dict[str, Any], solver: Solver) -> Classifier:
    return Classifier(SIZES[spec["dataset"]], spec["arm"], solver).to(getattr(torch, spec["dtype"]))


def _solver(spec: dict[str, Any], **changes: Any) -> Solver:
    names = ("library", "method", "rtol", "atol", "max_nfe")
    arm = {"gradient": "backprop"} | {k: v for k, v in spec["arm"].items() if k in ("gradient", "library")}
    return Solver(**({name: spec[name] for name in names} | arm | {"step": spec.get("step")} | changes))


def _train_epochs(
    net: Classifier, data: Images, spec: dict[str, Any], seed: int, device: str, rows: list[Row]
) -> None:
    """Train `net` in place; `rows` gets one row an epoch, also those before a failure."""
    x, y = (part.to(device) for part in data.train)
    optimizer = torch.optim.Adam(net.parameters(), lr=spec["learning_rate"])
    steps = -(-len(x) // spec["batch"]) * spec["epochs"]
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=spec["learning_rate"], total_steps=steps, cycle_momentum=False
    )
    order = torch.Generator().manual_seed(seed)
    with tqdm(total=steps, desc=f"seed {seed}", disable=None, leave=False) as progress:
        for epoch in range(1, spec["epochs"] + 1):
            net.train()
            clock = now_s(device)
            losses, counts = [], np.zeros(2)
            batches = torch.randperm(len(x), generator=order).split(spec["batch"])
            for batch in batches:
                index = batch.to(device)
                loss = nn.functional.cross_entropy(net(x[index]), y[index])
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                schedule.step()
                losses.append(loss.detach())
                counts += net.take_nfe()
                progress.update()
            row: Row = {"seed": seed, "epoch": epoch, "epoch_s": now_s(device) - clock}
            row |= {"train_loss": float(torch.stack(losses).mean())}
            row |= {"nfe_forward": counts[0] / len(batches), "nfe_backward": counts[1] / len(batches)}
            row["validation_error_pct"] = _error_pct(_right(net, data.validation, spec, device))
            rows.append(row)


def _right(net: Classifier, part: tuple[Tensor, Tensor], spec: dict[str, Any], device: str) -> np.ndarray:
    """Which images are classified right, (n,) bool."""
    net.eval()
    found = []
    with torch.no_grad():
        for x, y in zip(part[0].split(spec["eval_batch"]), part[1].split(spec["eval_batch"]), strict=True):
            found.append(net(x.to(device)).argmax(1).cpu() == y)
    net.take_nfe()
    return torch.cat(found).numpy()


def _error_pct(right: np.ndarray) -> float:
    return 100 * float((~right).mean())


def _refined(net: Classifier, data: Images, spec: dict[str, Any], device: str) -> Row:
    """The refinement gate: test error with the tolerance a hundred times smaller, or the step halved."""
    block = net.block
    assert isinstance(block, ODEBlock), "only an ODE has a solver to refine"
    kept = block.solver
    step = spec.get("step")
    finer = {"rtol": spec["rtol"] / 100, "atol": spec["atol"] / 100} if step is None else {"step": step / 2}
    block.solver = _solver(spec, **finer)
    try:
        return {"test_error_refined_pct": _error_pct(_right(net, data.test, spec, device))}
    finally:
        block.solver = kept


def cost(spec: dict[str, Any], device: str) -> Outcome:
    """Time and memory of one training step of a fresh net, against depth or the number of solver steps.

    Rows `runs`: one for each of `steps` (Euler steps of an ODE-Net, blocks of a ResNet), and for an ODE-Net one
    with the adaptive solver (`steps` null).
    """
    seed = spec["seeds"][0]
    data = load_images(spec["dataset"], train_size=spec["batch"], dtype=getattr(torch, spec["dtype"]))
    x, y = (part[: spec["batch"]].to(device) for part in data.train)
    rows: list[Row] = []
    ode = spec["arm"]["net"] == "odenet"
    for steps in [*spec["steps"], *([None] if ode else [])]:
        torch.manual_seed(seed)
        if ode:
            changes = {} if steps is None else {"method": "euler", "step": 1.0 / steps}
            net = _classifier(spec, _solver(spec, **changes))
        else:
            net = _classifier({**spec, "arm": {**spec["arm"], "blocks": steps}}, _solver(spec))
        net = net.to(device)
        row: Row = {
            "seed": seed,
            "steps": steps,
            "status": "ok",
            "message": "",
            "parameters": net.parameter_count(),
        }
        try:
            row |= _cost_of_step(net, x, y, spec, device)
        except Exception as error:
            failure = named_failure(error)
            if failure is None:
                raise
            row |= {"status": failure.status, "message": str(failure)}
        rows.append(row)
    return Outcome({"runs": rows})


def _cost_of_step(net: Classifier, x: Tensor, y: Tensor, spec: dict[str, Any], device: str) -> Row:
    def forward() -> Tensor:
        return nn.functional.cross_entropy(net(x), y)

    def step() -> None:
        net.zero_grad(set_to_none=True)
        forward().backward()

    row: Row = {"saved_mib": saved_for_backward_mib(forward), "peak_mib": peak_mib(step, device)}
    net.take_nfe()
    step()
    forward_nfe, backward_nfe = net.take_nfe()
    row |= {"nfe_forward": forward_nfe, "nfe_backward": backward_nfe}
    return row | time_repeats(step, device, repeats=spec["repeats"])


def sizes(spec: dict[str, Any], device: str) -> Outcome:
    """Count the parameters of one arm's net."""
    clock = time.perf_counter()
    net = _classifier(spec, _solver(spec))
    row: Row = {"seed": spec["seeds"][0], "status": "ok", "message": "", "parameters": net.parameter_count()}
    return Outcome({"runs": [row | {"wall_s": time.perf_counter() - clock}]})


TASKS = {"train": train, "cost": cost, "sizes": sizes}
