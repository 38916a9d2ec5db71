"""A net in training, with its data and its recipe."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

from odestudy.datasets.images import Images
from odestudy.learning import checkpoint, loop
from odestudy.learning.evaluate import error_pct, predict
from odestudy.learning.graphs import fit_for_graphs, launched_as_graphs
from odestudy.learning.recipe import Recipe
from odestudy.nets.images import Classifier
from odestudy.questions.images.arms import new_net
from odestudy.questions.images.params import Training


@dataclass(frozen=True)
class Fit:
    """A net and the rows of its epochs, there even where `run` raised."""

    net: Classifier
    training: checkpoint.Training
    recipe: Recipe

    def run(self, data: Images, eval_batch: int, name: str) -> None:
        """Train, each epoch followed by the validation error, and by a checkpoint of that name.

        Raises:
            NumericalFailure: the loss is not finite, or a solver gave up.
        """

        def validate() -> dict[str, float]:
            found = predict(self.net, data.validation[0], eval_batch).argmax(1)
            return {"validation_error_pct": error_pct(found == data.validation[1])}

        x = data.train[0]
        graphs = self.recipe.graphs and x.is_cuda and fit_for_graphs(self.net)
        with launched_as_graphs(self.net, x[: self.recipe.batch]) if graphs else nullcontext():
            loop.train(self.training, data.train, self.recipe, checkpoint.checkpoint_of(name), validate)

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


def new_fit(params: Training, data: Images, seed: int, device: str) -> Fit:
    """A net and its training before the first step."""
    net = new_net(params, seed).to(device)
    recipe = recipe_of(params)
    return Fit(net, loop.make_training(net, recipe, len(data.train[0]), seed, device), recipe)


def recipe_of(params: Training) -> Recipe:
    """How a task wants its nets trained."""
    names = ("batch", "epochs", "learning_rate", "schedule", "augment", "amp", "graphs")
    said = {name: getattr(params, name) for name in names}
    return Recipe(**{name: value for name, value in said.items() if value is not None})
