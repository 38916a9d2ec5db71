"""Writes docs/ode-reference.md, what `help` says of the public names of odestudy.ode: python docs/make_reference.py"""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from odestudy import ode

TARGET = Path(__file__).parent / "ode-reference.md"
HEAD = """# Reference of odestudy.ode

Written by docs/make_reference.py from the docstrings. [ode.md](ode.md) tells when to take which.
"""
LISTS = ("METHODS", "GRADIENTS", "STATUSES", "TABLEAUS", "IMPLICIT_TABLEAUS")
GROUPS = {
    "Solve": ("solve", "solve_batch"),
    "In torchdiffeq's place": ("odeint", "odeint_adjoint", "odeint_event", "odeint_dense"),
    "What comes back": ("Solution", "Stats", "Samples", "Interpolant", "SolveError"),
    "What steers a solve": ("PIDController", "BatchedModels"),
    "Methods of one's own": (
        "ExplicitTableau",
        "DenseOutput",
        "DirkTableau",
        "Stepper",
        "StepResult",
        "Span",
    ),
}


def reference() -> str:
    """The page."""
    parts = [HEAD]
    for title, names in GROUPS.items():
        parts.append(f"## {title}\n")
        parts += [entry(name, getattr(ode, name)) for name in names]
    parts.append("## Names\n")
    for name in LISTS:
        parts.append(f"`{name}`: {', '.join(f'`{known}`' for known in getattr(ode, name))}\n")
    parts.append(f"`NUMBERS`: {inspect.getdoc(ode.numbers)}\n")
    return "\n".join(parts)


def entry(name: str, thing: Any) -> str:
    """One function or class: how it is called, and what it says of itself."""
    lines = [f"### {name}\n", block(signature(name, thing)), block(inspect.getdoc(thing) or "")]
    if inspect.isclass(thing):
        lines += [f"- `{call}`: {text}" for call, text in members(thing)]
        lines.append("")
    return "\n".join(lines)


def signature(name: str, thing: Any) -> str:
    """An argument a line; of a class that is not called by its users its name."""
    if inspect.isclass(thing) and (issubclass(thing, Exception) or getattr(thing, "_is_protocol", False)):
        return name
    parameters = inspect.signature(thing).parameters.values()
    shown, named = [], False
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and not named:
            shown.append("*")
            named = True
        text = str(parameter.replace(annotation=parameter.empty))
        if inspect.isfunction(parameter.default):
            text = f"{parameter.name}={parameter.default.__name__}"
        shown.append(text)
    return f"{name}({', '.join(shown)})"


def members(cls: type) -> Iterator[tuple[str, str]]:
    """The class's own public methods and properties, with their first sentence."""
    for name, member in vars(cls).items():
        if name.startswith("_") and name != "__call__":
            continue
        function = member.fget if isinstance(member, property) else member
        text = inspect.getdoc(function) if callable(function) else None
        if text:
            arguments = (
                [] if isinstance(member, property) else list(inspect.signature(function).parameters)[1:]
            )
            call = name if isinstance(member, property) else f"{name}({', '.join(arguments)})"
            yield call.removeprefix("__call__"), " ".join(text.split("\n\n")[0].split())


def block(text: str) -> str:
    """As it stands, in a fixed width."""
    return f"```text\n{text}\n```\n"


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
