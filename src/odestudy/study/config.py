"""Reading and checking YAML: every complaint is one line with file, key and what is allowed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from odestudy.errors import ConfigError
from odestudy.study.values import key_at, kind_of, refuse_strange, shown_value, too_deep
from odestudy.text import one_line


# libyaml's parser is several times as fast; every process of the workflow reads all configuration.
class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # C's loader where PyYAML has it
    """A safe loader that refuses a key given twice, which plain YAML would silently drop."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int | float | bool):
                raise yaml.MarkedYAMLError(
                    problem="a key must be a plain value", problem_mark=key_node.start_mark
                )
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key {key!r} given twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        value = super().construct_yaml_float(node)
        if not math.isfinite(value):
            raise yaml.MarkedYAMLError(problem="a number must be finite", problem_mark=node.start_mark)
        return value


_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)


def load_yaml(path: Path, shown: str | None = None) -> Any:
    """Parse one YAML file; `shown` is the name used in messages.

    Raises:
        ConfigError: the file is missing, not UTF-8 or not YAML.
    """
    shown = shown or str(path)
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(_parsed(text, shown))
    except FileNotFoundError:
        raise ConfigError(f"{shown}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{shown}: not readable as UTF-8 text ({one_line(error)})") from None
    # The last three are what PyYAML's constructors raise where a tag does not fit its value.
    except (yaml.YAMLError, ValueError, RecursionError, AttributeError, KeyError, TypeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}:" if mark else ""
        problem = getattr(error, "problem", None) or str(error) or type(error).__name__
        raise ConfigError(f"{shown}:{line} not valid YAML: {one_line(problem)}") from None


@lru_cache(maxsize=64)
def _parsed(text: str, shown: str) -> str:
    """What a text says, as JSON: where a process reads a file again, that is parsed in a tenth of the time."""
    if too_deep(text):
        raise ConfigError(f"{shown}: not valid YAML: nested too deep")
    found = yaml.load(text, Loader=_Loader)  # a subclass of SafeLoader
    refuse_strange(found, shown)
    return json.dumps(found)


@lru_cache(maxsize=32)
def _schema(path: Path) -> dict[str, Any]:
    return load_yaml(path)


def load_checked(root: Path, file: str, schema: str) -> Any:
    """Parse `root/file` and hold it against workflow/schemas/<schema>.schema.yaml."""
    data = load_yaml(root / file, shown=file)
    check(data, schema_of(root, schema), file)
    return data


def schema_of(root: Path, name: str) -> dict[str, Any]:
    """A JSON schema of workflow/schemas."""
    return _schema(root / "workflow" / "schemas" / f"{name}.schema.yaml")


def check(data: Any, schema: dict[str, Any], file: str, at: Iterable[str | int] = ()) -> None:
    """Hold `data` against a JSON schema; the first error by position becomes one line.

    Raises:
        ConfigError: names file, key (`at` is put before it) and what is allowed.
    """
    if said := _complaint(json.dumps([data, schema]), tuple(at)):
        raise ConfigError(f"{file}: {said}")


@lru_cache(maxsize=512)
def _complaint(written: str, at: tuple[str | int, ...]) -> str:
    """The first error of [data, schema], as JSON; empty where there is none. Most are as they were at the last load."""
    data, schema = json.loads(written)
    errors = Draft202012Validator(schema).iter_errors(data)
    first = min(errors, key=lambda e: [str(p) for p in e.absolute_path], default=None)
    return explained(first, at) if first else ""


def explained(error: ValidationError, at: Iterable[str | int] = ()) -> str:
    """What a schema complains of, as key and what is allowed."""
    return _explain(_deepest(error), list(at))


def _deepest(error: ValidationError) -> ValidationError:
    """In an anyOf, the branch that got furthest says most."""
    while error.context:
        error = max(
            error.context, key=lambda e: (len(e.absolute_path), e.validator == "additionalProperties")
        )
    return error


def _explain(error: ValidationError, at: list[str | int]) -> str:
    path: list[Any] = [*at, *error.absolute_path]
    schema: Any = error.schema
    key = key_at(path)
    value: Any = error.instance
    rule: Any = error.validator_value
    if error.validator == "additionalProperties" and isinstance(value, dict):
        allowed = sorted(schema.get("properties", {}))
        unknown = next((k for k in value if k not in allowed), "?")
        return f"{key_at([*path, unknown])}: unknown key; allowed: {', '.join(allowed)}"
    if error.validator == "enum":
        return f"{key}: {shown_value(value)} is not allowed; allowed: {', '.join(str(v) for v in rule)}"
    if error.validator == "type":
        wanted = rule if isinstance(rule, str) else " or ".join(rule)
        hint = (
            " (YAML needs a point and a sign in powers of ten: write 1.0e-6)" if looks_numeric(value) else ""
        )
        return f"{key}: {shown_value(value)} is a {kind_of(value)}; allowed: {wanted}{hint}"
    if error.validator == "required":
        missing = next((k for k in rule if isinstance(value, dict) and k not in value), rule)
        return f"{key}: key {missing!r} is missing; needed: {', '.join(rule)}"
    limits = {
        "minimum": "at least", "maximum": "at most", "exclusiveMinimum": "above", "exclusiveMaximum": "below",
        "minItems": "a list of at least", "maxItems": "a list of at most", "minProperties": "a mapping of at least",
        "pattern": "text matching", "minLength": "text of length at least",
    }  # fmt: skip
    if error.validator in limits:
        return f"{key}: {shown_value(value)} is not allowed; allowed: {limits[error.validator]} {rule}"
    return f"{key}: {one_line(error.message)}"


def looks_numeric(value: Any) -> bool:
    """Whether a text is a number that YAML does not take for one."""
    try:
        return isinstance(value, str) and float(value) is not None
    except ValueError:
        return False
