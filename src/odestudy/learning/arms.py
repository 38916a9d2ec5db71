"""From a job's specification to a net, its solver and its training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from odestudy.datasets.images import Images, load_images
from odestudy.integrate import Solver
from odestudy.learning.checkpoint import Training, checkpoint_of
from odestudy.learning.evaluate import error_pct, predict
from odestudy.learning.loop import make_training, train
from odestudy.learning.recipe import Recipe
from odestudy.nets.images import Classifier, make_classifier

SIZE_OF = {"digits": "digits", "mnist": "mnist", "fashion": "mnist"}


def solver_of(spec: dict[str, Any], **changes: Any) -> Solver:
    """The solver of a specification; an arm or a named solver in it has the last word, `changes` the very last."""
    chosen = spec | spec["arm"] | spec.get("solver", {})
    names = ("library", "method", "rtol", "atol", "max_nfe", "step", "gradient")
    return Solver(**({name: chosen[name] for name in names if name in chosen} | changes))


def finer(solver: Solver) -> dict[str, float]:
    """The refinement gate's changes: half the step, or a tolerance a hundred times smaller."""
    if solver.step is not None:
        return {"step": solver.step / 2}
    return {"rtol": solver.rtol / 100, "atol": solver.atol / 100}


def new_net(spec: dict[str, Any], seed: int, solver: Solver | None = None) -> Classifier:
    """A net before training; stem and head of one seed are the same in all arms."""
    torch.manual_seed(seed)
    net = make_classifier(SIZE_OF[spec["dataset"]], spec["arm"], solver or solver_of(spec))
    return net.to(getattr(torch, spec["dtype"]))


def images_of(spec: dict[str, Any], device: str) -> Images:
    """The data of a specification, on the device once for all."""
    found = load_images(
        spec["dataset"], train_size=spec.get("train_size"), dtype=getattr(torch, spec["dtype"])
    )
    parts = (found.train, found.validation, found.test)
    return Images(*((x.to(device), y.to(device)) for x, y in parts))


def recipe_of(spec: dict[str, Any]) -> Recipe:
    """How the specification wants its nets trained."""
    names = ("batch", "epochs", "learning_rate", "schedule", "augment", "amp")
    return Recipe(**{name: spec[name] for name in names if name in spec})


@dataclass(frozen=True)
class Fit:
    """A net and the rows of its epochs, there even where `run` raised."""

    net: Classifier
    training: Training
    recipe: Recipe

    def run(self, data: Images, eval_batch: int, checkpoint: str) -> None:
        """Train, each epoch followed by the validation error.

        Raises:
            NumericalFailure: the loss is not finite, or a solver gave up.
        """

        def validate() -> dict[str, float]:
            found = predict(self.net, data.validation[0], eval_batch).argmax(1)
            return {"validation_error_pct": error_pct(found == data.validation[1])}

        train(self.training, data.train, self.recipe, checkpoint_of(checkpoint), validate)

    def train_s(self) -> float:
        """Time of training without validation, also that before a kill."""
        return sum(row["epoch_s"] for row in self.training.rows)

    def time_to_s(self, validation_error_pct: float) -> float | None:
        """Training time until the validation error is that small after an epoch; None where it never is."""
        spent = 0.0
        for row in self.training.rows:
            spent += row["epoch_s"]
            if row["validation_error_pct"] <= validation_error_pct:
                return spent
        return None


def new_fit(spec: dict[str, Any], data: Images, seed: int, device: str) -> Fit:
    """A net and its training before the first step."""
    net = new_net(spec, seed).to(device)
    recipe = recipe_of(spec)
    return Fit(net, make_training(net, recipe, len(data.train[0]), seed, device), recipe)
