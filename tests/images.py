"""Trainings of images from a specification, as tests need them."""

from __future__ import annotations

from typing import Any

from odestudy.datasets.images import Images
from odestudy.questions.images.arms import images_of
from odestudy.questions.images.fit import Fit, new_fit
from odestudy.questions.images.params import PARAMS


def params_of(spec: dict[str, Any]) -> Any:
    return PARAMS[spec["task"]].model_validate(spec)


def data_of(spec: dict[str, Any]) -> Images:
    return images_of(params_of(spec), "cpu", spec.get("train_size"))


def fit_of(spec: dict[str, Any], data: Images) -> Fit:
    """The training of seed 0."""
    return new_fit(params_of(spec), data, 0, "cpu")
