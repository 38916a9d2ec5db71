"""The code that a result depends on: a hash over the modules that it imports, found without importing them."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent
# A package whose code does not count: a module in it holds the version of its numbers.
SOLVERS, NUMBERS = "odestudy.ode", "odestudy.ode.numbers"


def module_file(name: str) -> Path | None:
    """The file of a module of this package, or None where the name is no such module."""
    path = PACKAGE.parent.joinpath(*name.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


@cache
def direct_imports(name: str) -> frozenset[str]:
    """The modules of this package that a module imports, its parent packages among them."""
    file = module_file(name)
    if file is None:
        return frozenset()
    found: set[str] = set()
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{file}: relative import; this package imports by full name")
            if node.module:
                found.add(node.module)
                found.update(f"{node.module}.{alias.name}" for alias in node.names)
    parts = name.split(".")
    found.update(".".join(parts[:i]) for i in range(1, len(parts)))
    return frozenset(m for m in found if m.startswith("odestudy") and module_file(m) and m != name)


@cache
def modules_of(name: str) -> frozenset[str]:
    """A module and, transitively, all modules of this package that it imports."""
    seen: set[str] = set()
    todo = [name]
    while todo:
        module = todo.pop()
        if module not in seen:
            seen.add(module)
            todo += direct_imports(module)
    return frozenset(seen)


@cache
def _counted(name: str) -> frozenset[str]:
    """A module and all that it imports, with the version of their numbers in place of the solvers."""
    seen: set[str] = set()
    todo = [name]
    while todo:
        module = todo.pop()
        if module == SOLVERS or module.startswith(f"{SOLVERS}."):
            seen.add(NUMBERS)
        elif module not in seen:
            seen.add(module)
            todo += direct_imports(module)
    return frozenset(seen)


@cache
def code_hash(*names: str) -> str:
    """Twelve hexadecimal digits over the meaning of modules and of what they import.

    Comments, docstrings and layout do not count; of the solvers, only the version of their numbers does.

    Raises:
        ValueError: a name is no module of this package.
    """
    for name in names:
        if module_file(name) is None:
            raise ValueError(f"{name}: no such module in {PACKAGE}")
    digest = hashlib.sha256()
    for module in sorted(set().union(*(_counted(name) for name in names))):
        file = module_file(module)
        assert file is not None, f"{module} vanished"
        digest.update(f"{module}\0{_hash(file)}\0".encode())
    return digest.hexdigest()[:12]


@cache
def _hash(file: Path) -> str:
    return hashlib.sha256(_meaning(_tree(file)).encode()).hexdigest()


def _meaning(node: Any) -> str:
    """A dump of the syntax tree that is the same under every supported Python: empty fields are left out."""
    if isinstance(node, ast.AST):
        body = getattr(node, "body", None)
        fields = dict(ast.iter_fields(node))
        if isinstance(body, list) and body and _is_docstring(node, body[0]):
            fields["body"] = body[1:]
        inner = ",".join(
            f"{name}={_meaning(value)}"
            for name, value in fields.items()
            if value not in (None, []) and name not in ("ctx", "type_comment", "kind")
        )
        return f"{type(node).__name__}({inner})"
    if isinstance(node, list):
        return "[" + ",".join(_meaning(item) for item in node) + "]"
    return repr(node)


def _is_docstring(owner: ast.AST, first: ast.AST) -> bool:
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return (
        isinstance(owner, owners)
        and isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )
