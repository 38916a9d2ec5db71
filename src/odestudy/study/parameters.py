"""Specifications of questions with typed tasks: defaults put in, and every complaint as one line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from odestudy.errors import ConfigError
from odestudy.runtime.parameters import Parameters, with_defaults
from odestudy.study.config import looks_numeric
from odestudy.study.jobs import Job
from odestudy.study.values import key_at, kind_of, shown_value
from odestudy.text import meant

NUMERIC = " (YAML needs a point and a sign in powers of ten: write 1.0e-6)"
BOUNDS = {
    "greater_than": ("above", "gt"), "greater_than_equal": ("at least", "ge"), "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"), "too_short": ("a list of at least", "min_length"),
}  # fmt: skip
TYPES = {
    "float_type": "number", "int_type": "integer", "string_type": "string", "bool_type": "boolean", "list_type": "array",
    "dict_type": "mapping", "model_type": "mapping", "model_attributes_type": "mapping",
}  # fmt: skip


def typed_jobs(
    jobs: Iterable[Job], kinds: Mapping[str, type[Parameters]], where: Callable[[str], str]
) -> list[Job]:
    """The jobs with the defaults of their tasks, held against the tasks' classes.

    A parameter whose field is excluded is part of a specification only where it is said.

    Args:
        kinds: task -> class of its parameters.
        where: parameter -> file and key of the experiment that sets it, for messages.

    Raises:
        ConfigError: a parameter is missing, unknown, or has a value that the task cannot use.
    """
    found = []
    for job in jobs:
        kind = kinds[job.task]
        unsaid = {name for name, about in kind.model_fields.items() if about.exclude and name not in job.spec}
        spec = {name: value for name, value in with_defaults(kind, job.spec).items() if name not in unsaid}
        try:
            kind.model_validate(spec)
        except ValidationError as error:
            first = worst(error.errors())
            at = where(str(first["loc"][0]) if first["loc"] else "")
            raise ConfigError(f"{at}: {job.task} {told(first, spec, kind)}{_of_entries(spec)}") from None
        found.append(replace(job, spec=spec))
    return found


def check_entry(
    axis: str, name: str, settings: dict[str, Any], kinds: Iterable[type[Parameters]], where: str
) -> None:
    """Hold a named entry against the parameter that it stands for.

    Raises:
        ConfigError: no task has such a parameter, or it takes no such value.
    """
    takers = [kind for kind in kinds if axis in kind.model_fields]
    if not takers:
        raise ConfigError(f"{where}.{axis}: no task of this question takes it")
    own = {key: value for key, value in settings.items() if key not in ("label", "groups")}
    spec = {axis: {"name": name, **own}}
    complaints = [_complaint(axis, spec, kind) for kind in takers]
    if all(complaints):
        raise ConfigError(f"{where}.{axis}.{name}: {min(complaints, key=len)}")


def _complaint(axis: str, spec: dict[str, Any], kind: type[Parameters]) -> str:
    """What a task has against an entry; nothing where it takes it."""
    try:
        kind.model_validate(spec)
    except ValidationError as error:
        if of_axis := [one for one in error.errors() if one["loc"][:1] == (axis,)]:
            return told(worst(of_axis), spec, kind)
    return ""


def worst(errors: Iterable[ErrorDetails]) -> ErrorDetails:
    """The complaint to be shown: an unknown key before what is missing, as it may be the same, mistyped."""
    return min(errors, key=lambda error: error["type"] != "extra_forbidden")


def told(error: ErrorDetails, spec: dict[str, Any], kind: type[BaseModel]) -> str:
    """What is wrong, with what came and what is allowed."""
    path = key_at(_path(error["loc"], spec))
    value, about = error["input"], error.get("ctx", {})
    match error["type"]:
        case "missing":
            return f"needs {path!r}"
        case "union_tag_not_found":
            return f"needs {path + '.' + about['discriminator'].strip(chr(39))!r}"
        case "value_error":
            said = str(about["error"])
            return (said if said.startswith("needs ") else f"cannot use this: {said}") + (
                f" in {path}" if error["loc"] else ""
            )
        case "extra_forbidden":
            known = sorted(_fields_at(kind, error["loc"][:-1]))
            hint = meant(error["loc"][-1], known)
            return f"cannot use {path}: unknown key; allowed: {', '.join(known)}{hint}"
        case "one_of" | "literal_error" | "union_tag_invalid":
            names = about.get("allowed") or about.get("expected_tags") or about["expected"]
            came = about["tag"] if error["type"] == "union_tag_invalid" else value
            allowed = re.sub(r"'", "", names.replace(" or ", ", "))
            return f"cannot use {path}: {shown_value(came)} is not allowed; allowed: {allowed}"
        case bound if bound in BOUNDS:
            word, limit = BOUNDS[bound]
            return f"cannot use {path}: {shown_value(value)} is not allowed; allowed: {word} {about[limit]:g}"
        case wrong:
            hint = NUMERIC if looks_numeric(value) else ""
            allowed = TYPES.get(wrong, error["msg"])
            return f"cannot use {path}: {shown_value(value)} is a {kind_of(value)}; allowed: {allowed}{hint}"


def _path(loc: Iterable[int | str], data: Any) -> list[int | str]:
    """Keys and positions in the data; the names of a union's members are none."""
    path: list[int | str] = []
    parts = list(loc)
    for i, part in enumerate(parts):
        inside = isinstance(data, list) if isinstance(part, int) else isinstance(data, dict) and part in data
        if inside:
            data = data[part]
        if inside or i == len(parts) - 1:
            path.append(part)
    return path


def _fields_at(kind: type[BaseModel], loc: Iterable[int | str]) -> set[str]:
    """The keys that are allowed at a place of a specification."""
    models = [kind]
    for part in loc:
        inner = [model.model_fields[part].annotation for model in models if part in model.model_fields]
        if inner:
            models = [model for annotation in inner for model in _models(annotation)]
        elif isinstance(part, str):  # the member of a union
            tagged = [
                m for m in models if any(part in get_args(f.annotation) for f in m.model_fields.values())
            ]
            models = tagged or models
    return {about.alias or name for model in models for name, about in model.model_fields.items()}


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The classes of values in a type, in lists, mappings and unions, too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _of_entries(spec: dict[str, Any]) -> str:
    """Which entries a specification is made of, since what is missing may be theirs."""
    names = [
        f"{axis} {value['name']}"
        for axis, value in spec.items()
        if isinstance(value, dict) and "name" in value
    ]
    return f" (with {', '.join(names)})" if names else ""
