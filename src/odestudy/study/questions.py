"""Reading a question's YAML, with what its folder of code says beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from odestudy.errors import ConfigError
from odestudy.runtime.registry import figures_of
from odestudy.study.config import check, load_yaml, schema_of
from odestudy.study.extends import with_extensions


def load_question(root: Path, name: str) -> dict[str, Any]:
    """One question: experiments with what they extend, and the figures of its folder.

    Raises:
        ConfigError: one line with file, key and what is allowed.
    """
    file = f"config/questions/{name}.yaml"
    data = load_yaml(root / file, shown=file)
    if isinstance(data, dict):
        if isinstance(data.get("experiments"), dict):
            data = data | {"experiments": with_extensions(data["experiments"], file)}
        if "figures" in data:
            raise ConfigError(f"{file}: figures: unknown key; what a figure shows is SHOWS in its own file")
        data = data | {"figures": figures_of(name)}
    check(data, schema_of(root, "question"), file)
    return data
