"""Values that configuration may hold, and their form in messages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from odestudy.errors import ConfigError
from odestudy.text import one_line

MOST_VALUES, DEEPEST, PARSER_DEEPEST = 100_000, 30, 500
LARGEST = 2**63 - 1


def too_deep(text: str) -> bool:
    """Whether brackets, dashes or indentation nest so deep that libyaml, which recurses, would run out of its stack."""
    depth = 0
    for bracket in re.finditer(r"[\[{\]}]", text):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > PARSER_DEEPEST:
            return True
    return any(len(run[0]) > PARSER_DEEPEST for run in re.finditer(r"^[ ?:-]*", text, re.MULTILINE))


def refuse_strange(data: Any, file: str) -> None:
    """YAML knows dates, binaries, sets, keys that are numbers and structures that hold themselves; here nobody does.

    Raises:
        ConfigError: names file, key and what is allowed.
    """
    todo: list[tuple[Any, tuple[Any, ...]]] = [(data, ())]
    for _ in range(MOST_VALUES):
        if not todo:
            return
        value, path = todo.pop()
        if len(path) > DEEPEST:
            raise ConfigError(f"{file}: {key_at(path)}: nested more than {DEEPEST} deep")
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str):
                    at = f"{file}: {key_at(path)}"
                    raise ConfigError(
                        f"{at}: key {shown_value(key)} is of type {kind_of(key)}; write it in quotes"
                    )
                if not key.isprintable():
                    at = f"{file}: {key_at(path)}"
                    raise ConfigError(f"{at}: key {shown_value(key)} has characters that cannot be shown")
            todo += [(inner, (*path, key)) for key, inner in value.items()]
        elif isinstance(value, list):
            todo += [(inner, (*path, i)) for i, inner in enumerate(value)]
        elif isinstance(value, str):
            if _half_characters(value):
                raise ConfigError(f"{file}: {key_at(path)}: {shown_value(value)} is no text in Unicode")
        elif isinstance(value, int) and abs(value) > LARGEST:
            raise ConfigError(f"{file}: {key_at(path)}: {shown_value(value)} is beyond 64 bits")
        elif not (value is None or isinstance(value, int | float)):
            allowed = "numbers, texts, booleans, lists, mappings"
            raise ConfigError(
                f"{file}: {key_at(path)}: {shown_value(value)} is a {kind_of(value)}; allowed: {allowed}"
            )
    raise ConfigError(f"{file}: more than {MOST_VALUES} values")


def _half_characters(text: str) -> bool:
    """Whether there are surrogates alone, which no file in UTF-8 can hold."""
    return not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text)


def key_at(path: Iterable[Any]) -> str:
    """Keys and positions from the top, joined by dots."""
    return one_line(".".join(map(str, path))) or "(top level)"


def shown_value(value: Any) -> str:
    """As Python writes it, cut after sixty characters."""
    try:
        return one_line(repr(value), 60)
    except ValueError:  # an integer of more digits than Python turns into text
        return "a huge number"


def kind_of(value: Any) -> str:
    """What YAML calls a value's type."""
    names = {dict: "mapping", list: "list", str: "string", bool: "boolean", int: "integer", float: "number"}
    return names.get(type(value), "null" if value is None else type(value).__name__)
