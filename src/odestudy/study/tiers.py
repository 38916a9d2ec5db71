"""Changes that a tier makes to an experiment."""

from __future__ import annotations

from typing import Any

from odestudy.errors import ConfigError

TIERS = ("smoke", "quick", "cpu", "full")


def tier_of(run: str) -> str:
    """The tier of a results folder: quick -> quick, shown/quick-cpu -> quick."""
    return run.split("/")[-1].split("-")[0]


def where_of(question: str, experiment: str) -> str:
    """File and key of an experiment, for messages."""
    return f"config/questions/{question}.yaml: experiments.{experiment}"


def merged_experiment(experiment: dict[str, Any], changes: dict[str, Any], where: str) -> dict[str, Any]:
    """An experiment with a tier's changes.

    Raises:
        ConfigError: the tier names an axis that the experiment does not have.
    """
    axes = experiment.get("grid", {})
    for axis in changes.get("grid", {}):
        if axis not in axes:
            raise ConfigError(f"{where}.grid.{axis}: unknown axis; allowed: {', '.join(axes)}")
    merged = experiment | {k: v for k, v in changes.items() if k not in ("base", "grid")}
    merged["base"] = experiment.get("base", {}) | changes.get("base", {})
    merged["grid"] = axes | changes.get("grid", {})
    return merged


def check_tier_names(tier: dict[str, Any], name: str, questions: dict[str, dict[str, Any]]) -> None:
    """Refuse names that no question or experiment has.

    Raises:
        ConfigError: file, key and what is allowed.
    """
    for question, experiments in tier["questions"].items():
        if question not in questions:
            raise ConfigError(
                f"config/tiers/{name}.yaml: questions.{question}: unknown question; allowed: {', '.join(questions)}"
            )
        known = questions[question]["experiments"]
        for experiment in experiments:
            if experiment not in known:
                raise ConfigError(
                    f"config/tiers/{name}.yaml: questions.{question}.{experiment}: unknown experiment; "
                    f"allowed: {', '.join(known)}"
                )
