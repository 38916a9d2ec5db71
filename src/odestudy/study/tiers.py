"""Changes that a tier makes to an experiment."""

from __future__ import annotations

from typing import Any

from odestudy.errors import ConfigError
from odestudy.study.config import check


def where_of(question: str, experiment: str) -> str:
    return f"config/questions/{question}.yaml: experiments.{experiment}"


def merged_experiment(
    experiment: dict[str, Any], changes: dict[str, Any], question: str, spec: dict[str, Any], where: str
) -> dict[str, Any]:
    """An experiment with a tier's changes; every parameter is held against the question's own schema."""
    own = spec.get("parameters")  # None where the tasks' classes say it all
    parameters = {"type": "object", "additionalProperties": own is None, "properties": own or {}}
    axes = experiment.get("grid", {})
    for source, at in ((experiment, where_of(question, "?")), (changes, where)):
        file, _, key = at.partition(": ")
        check(source.get("base", {}), parameters, file, [key.replace(".?", ""), "base"])
        for axis, values in source.get("grid", {}).items():
            if axis not in axes:
                raise ConfigError(f"{at}.grid.{axis}: unknown axis; allowed: {', '.join(axes)}")
            if axis in (own or {}) and axis not in spec.get("entries", {}) and isinstance(values, list):
                for value in values:
                    check({axis: value}, parameters, file, [key.replace(".?", ""), "grid"])
    merged = experiment | {k: v for k, v in changes.items() if k not in ("base", "grid")}
    merged["base"] = experiment.get("base", {}) | changes.get("base", {})
    merged["grid"] = axes | changes.get("grid", {})
    return merged


def check_tier_names(tier: dict[str, Any], name: str, questions: dict[str, dict[str, Any]]) -> None:
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
