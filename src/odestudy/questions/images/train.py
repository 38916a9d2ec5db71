"""Accuracy and training time of the ODE-Net against residual networks (claims C07 to C09, C11, C13)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from odestudy.datasets.images import Images
from odestudy.integrate import named_failure
from odestudy.learning.evaluate import (
    accuracy_change_pct,
    error_on,
    error_pct,
    error_with_batch_statistics,
    mflop_an_image,
    predict,
    solved_with,
)
from odestudy.measure.memory import saved_for_backward_mib
from odestudy.questions.images.arms import finer, images_of, integrates
from odestudy.questions.images.fit import Fit, new_fit
from odestudy.questions.images.params import Train
from odestudy.runtime.outcome import Outcome, Row

HARDEST = 12  # pictures kept of each run
GOAL_PCT = 1.0  # error of the 99 % accuracy that the walk-through reaches


def train(params: Train, device: str) -> Outcome:
    """Train one arm on one data set, for each seed; the test set is opened once, at the end.

    Rows: `runs`, one a seed; `epochs`, one a seed and epoch. Arrays: the classes of the test images, for each seed
    what was found, and the images that were missed by most, with their classes.
    """
    data = images_of(params, device, params.train_size)
    runs: list[Row] = []
    epochs: list[Row] = []
    arrays: dict[str, np.ndarray] = {"truth": _small(data.test[1])}
    for seed in params.seeds:
        fit = new_fit(params, data, seed, device)
        row: Row = {"seed": seed, "status": "ok", "message": "", "parameters": fit.net.parameter_count()}
        try:
            fit.run(data, params.eval_batch, f"seed{seed}")
            row |= _times(fit) | _cost(fit, data) | _judge(fit, data, params, seed, arrays)
        except Exception as error:
            failure = named_failure(error)
            if failure is None:
                raise
            row |= {"status": failure.status, "message": str(failure)}
        epochs += [{"seed": seed, **epoch} for epoch in fit.training.rows]
        runs.append(row)
    return Outcome({"runs": runs, "epochs": epochs}, arrays)


def _times(fit: Fit) -> Row:
    last = fit.training.rows[-1]
    return {
        "train_s": fit.train_s(),
        "time_to_99_s": fit.time_to_s(GOAL_PCT),
        "epoch_s": fit.train_s() / len(fit.training.rows),
        "epochs": len(fit.training.rows),
        "nfe_forward": last["nfe_forward"],
        "nfe_backward": last["nfe_backward"],
        "validation_error_pct": last["validation_error_pct"],
    }


def _cost(fit: Fit, data: Images) -> Row:
    """Memory of a training step and operations of an evaluation, with the trained net."""
    x, y = (part[: fit.recipe.batch] for part in data.train)
    fit.net.train()
    with fit.recipe.precision(str(x.device)):
        saved = saved_for_backward_mib(lambda: nn.functional.cross_entropy(fit.net(x), y))
    return {"saved_mib": saved, "mflop": mflop_an_image(fit.net, data.test[0][: fit.recipe.batch])}


def _judge(fit: Fit, data: Images, params: Train, seed: int, arrays: dict[str, np.ndarray]) -> Row:
    """The test set, opened once; for an ODE-Net also with a refined solver, for BatchNorm with statistics of batches."""
    x, y = data.test
    logits = predict(fit.net, x, params.eval_batch)
    found = logits.argmax(1)
    arrays[f"found_seed{seed}"] = _small(found)
    of_truth = logits.gather(1, y[:, None])[:, 0]
    others = logits.scatter(1, y[:, None], -torch.inf).amax(1)
    worst = (of_truth - others).argsort(stable=True)[:HARDEST]
    arrays[f"hardest_seed{seed}"] = x[worst, 0].float().cpu().numpy()
    arrays[f"hardest_truth_seed{seed}"] = _small(y[worst])
    arrays[f"hardest_found_seed{seed}"] = _small(found[worst])
    error = error_pct(found == y)
    row: Row = {
        "test_error_pct": error,
        "test_errors": int((found != y).sum()),
        "test_images": len(y),
    }
    if integrates(params):
        with solved_with(fit.net, **finer(fit.net.ode().solver)):
            refined = error_on(fit.net, data.test, params.eval_batch)
        change = accuracy_change_pct(error, refined)
        row |= {"test_error_refined_pct": refined, "accuracy_change_pct": change}
        row |= {"is_ode": change < params.gate_pct}
    own = error_with_batch_statistics(fit.net, data.test, fit.recipe.batch)
    return row if own is None else row | {"test_error_batch_stats_pct": own}


def _small(classes: Tensor) -> np.ndarray:
    return classes.cpu().numpy().astype(np.uint8)
