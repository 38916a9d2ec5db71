"""Registries and constants of this package, read without importing it (it may import torch)."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent


@cache
def names_in(module: str, registry: str) -> tuple[str, ...]:
    """The keys of a dictionary that a module writes out as a literal.

    Raises:
        LookupError: the module has no such dictionary.
    """
    return tuple(
        str(key.value) for key in _dictionary(module, registry).keys if isinstance(key, ast.Constant)
    )


@cache
def literal_in(module: str, name: str) -> Any:
    """A dictionary of constants that a module writes out.

    Raises:
        LookupError: the module has no such dictionary.
    """
    return ast.literal_eval(_dictionary(module, name))


def _dictionary(module: str, name: str) -> ast.Dict:
    path = PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py")
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or not isinstance(node.value, ast.Dict):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if [target.id for target in targets if isinstance(target, ast.Name)] == [name]:
            return node.value
    raise LookupError(f"{module} has no dictionary {name}")
