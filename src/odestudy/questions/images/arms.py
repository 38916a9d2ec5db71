"""From a task's parameters to a net, its solver and its data."""

from __future__ import annotations

from typing import Any

import torch

from odestudy.datasets.images import Images, load_images
from odestudy.integrate import Solver
from odestudy.nets.images import Classifier, make_classifier
from odestudy.questions.images.params import Net, OdeArm

SIZE_OF = {"digits": "digits", "mnist": "mnist", "fashion": "mnist"}


def solver_of(params: Net, **changes: Any) -> Solver:
    """The solver of a task; its arm or a named solver has the last word, `changes` the very last."""
    chosen = {
        name: getattr(params, name) for name in ("library", "method", "rtol", "atol", "max_nfe", "step")
    }
    for entry in (params.arm, getattr(params, "solver", None)):
        if entry is not None:
            own = entry.model_dump(exclude_none=True)
            chosen |= {name: own[name] for name in (*chosen, "gradient") if name in own}
    return Solver(**({name: value for name, value in chosen.items() if value is not None} | changes))


def finer(solver: Solver) -> dict[str, float]:
    """The refinement gate's changes: half the step, or a tolerance a hundred times smaller."""
    if solver.step is not None:
        return {"step": solver.step / 2}
    return {"rtol": solver.rtol / 100, "atol": solver.atol / 100}


def integrates(params: Net) -> bool:
    """Whether the arm's net is an ODE."""
    return isinstance(params.arm, OdeArm)


def new_net(params: Net, seed: int, solver: Solver | None = None) -> Classifier:
    """A net before training; stem and head of one seed are the same in all arms."""
    torch.manual_seed(seed)
    arm = params.arm.model_dump(exclude_none=True)
    net = make_classifier(SIZE_OF[params.dataset], arm, solver or solver_of(params))
    return net.to(getattr(torch, params.dtype))


def images_of(params: Net, device: str, train_size: int | None) -> Images:
    """The data of a task, on the device once for all; of the training images at most so many."""
    found = load_images(params.dataset, train_size=train_size, dtype=getattr(torch, params.dtype))
    parts = (found.train, found.validation, found.test)
    return Images(*((x.to(device), y.to(device)) for x, y in parts))
