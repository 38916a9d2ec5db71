"""Checks of each job's specification against its task's needs, before any job starts; see workflow/schemas/tasks.yaml."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from odestudy.errors import ConfigError
from odestudy.runtime.keys import canonical
from odestudy.runtime.names import names_in
from odestudy.study.config import explained, load_yaml
from odestudy.study.jobs import Job
from odestudy.study.values import key_at, shown_value

FILE = "workflow/schemas/tasks.yaml"


def check_needs(root: Path, jobs: Iterable[Job], where: str) -> None:
    """Hold the jobs of one experiment against what their task needs.

    Args:
        root: the clone's folder.
        where: file and key of the experiment, for messages.

    Raises:
        ConfigError: a parameter is missing, or is none that the task can use.
    """
    seen = set()
    for job in jobs:
        spec = {key: value for key, value in job.spec.items() if key != "seeds"}
        if (text := canonical(spec)) not in seen:
            seen.add(text)
            _check(_merged(spec, task_of(root, job.task)), job.task, root, where)


def task_of(root: Path, task: str) -> dict[str, Any]:
    """The schema of one task, its references resolved.

    Raises:
        ConfigError: there is none.
    """
    tasks = _tasks(root / FILE)
    if task not in tasks:
        raise ConfigError(f"{FILE}: tasks: {task} is missing; a task says there what it needs")
    return tasks[task]


@lru_cache(maxsize=8)
def _tasks(path: Path) -> dict[str, dict[str, Any]]:
    content = load_yaml(path, FILE)
    return {name: _resolved(schema, content["$defs"]) for name, schema in content["tasks"].items()}


def _resolved(schema: Any, known: dict[str, Any]) -> Any:
    """The schema with each reference and registry replaced by what it stands for, which is many times as fast to check."""
    if isinstance(schema, list):
        names = [
            names_in("odestudy.ode._methods", part) if part == "TABLEAUS" else (part,) for part in schema
        ]
        return [_resolved(part, known) for parts in names for part in parts]
    if not isinstance(schema, dict):
        return schema
    target = known[schema["$ref"].removeprefix("#/$defs/")] if "$ref" in schema else {}
    return {key: _resolved(part, known) for key, part in (target | schema).items() if key != "$ref"}


def _merged(spec: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    for axis in schema.get("merges", ()):
        entry = spec.get(axis)
        if isinstance(entry, dict):
            spec = spec | {key: value for key, value in entry.items() if key != "name"}
    return spec


def _check(spec: dict[str, Any], task: str, root: Path, where: str) -> None:
    schema = task_of(root, task)
    errors = sorted(
        Draft202012Validator(schema).iter_errors(spec), key=lambda e: [str(p) for p in e.absolute_path]
    )
    for error in errors:
        about: Any = error.schema
        why = f" ({about['description']})" if "description" in about else ""
        needed = " or ".join(map(repr, _missing(error)))
        told = f"needs {needed}" if needed else f"cannot use {explained(error)}{why}"
        raise ConfigError(f"{where}: {task} {told}{_of_entries(spec)}")
    for low, high in schema.get("ascending", ()):
        if low in spec and high in spec and spec[low] > spec[high]:
            raise ConfigError(
                f"{where}: {low} {shown_value(spec[low])} is above {high} {shown_value(spec[high])}"
            )


def _missing(error: ValidationError) -> list[str]:
    """The keys of which one would mend it; none where the trouble is another."""
    value: Any = error.instance
    rule: Any = error.validator_value
    match error.validator:
        case "required":
            wanted = rule
        case "dependentRequired":
            wanted = [name for key, names in rule.items() if key in value for name in names]
        case "anyOf":
            return [name for part in error.context or () for name in _missing(part)]
        case _:
            return []
    return [key_at([*error.absolute_path, name]) for name in wanted if name not in value][:1]


def _of_entries(spec: dict[str, Any]) -> str:
    """Which entries a specification is made of, since what is missing may be theirs."""
    names = [
        f"{axis} {value['name']}"
        for axis, value in spec.items()
        if isinstance(value, dict) and "name" in value
    ]
    return f" (with {', '.join(names)})" if names else ""
