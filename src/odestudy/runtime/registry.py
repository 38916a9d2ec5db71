"""A lookup of the code of a question in its folder.

A folder odestudy/questions/<q> holds params.py (PARAMS), tasks.py (TASKS), figures/ and, where it has any, derived.py
(DERIVED). The names of its tasks and figures begin with its own. Nothing here imports torch before a task is looked up.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from odestudy.errors import ConfigError
from odestudy.runtime.names import literal_in, names_in
from odestudy.runtime.outcome import Outcome
from odestudy.runtime.parameters import Parameters
from odestudy.text import meant

QUESTIONS = Path(__file__).resolve().parent.parent / "questions"


def package_of(name: str) -> str:
    """The package of the question that a question's, task's or figure's name begins with.

    Raises:
        ConfigError: there is no such folder.
    """
    question = name.split(".")[0].split("_")[0]
    if not (QUESTIONS / question / "tasks.py").is_file():
        known = sorted(file.parent.name for file in QUESTIONS.glob("*/tasks.py"))
        raise ConfigError(
            f"{name}: no file src/odestudy/questions/{question}/tasks.py; allowed: {', '.join(known)}{meant(question, known)}"
        )
    return f"odestudy.questions.{question}"


def task_module(task: str) -> str:
    """The module that computes a task, whose imports are the code that its results depend on."""
    return f"{package_of(task)}.tasks"


def figure_module(figure: str) -> str:
    """The module that draws a figure."""
    return f"{package_of(figure)}.figures.{figure.partition('_')[2]}"


def figures_of(question: str) -> dict[str, dict[str, Any]]:
    """Figure -> what it shows (its file's SHOWS)."""
    files = sorted((QUESTIONS / question / "figures").glob("[a-z]*.py"))
    return {
        f"{question}_{file.stem}": literal_in(f"odestudy.questions.{question}.figures.{file.stem}", "SHOWS")
        for file in files
    }


def parameters_of(question: str) -> dict[str, type[Parameters]]:
    """Task -> class of its parameters."""
    return import_module(f"{package_of(question)}.params").PARAMS


def derived_names(question: str) -> tuple[str, ...]:
    """The names of the derivations in a question's folder."""
    module = derived_module(question)
    return names_in(module, "DERIVED") if module else ()


def derived_of(question: str) -> dict[str, Callable[..., list[dict[str, Any]]]]:
    """Name -> function that makes the rows of a table out of several runs, of a question's folder."""
    module = derived_module(question)
    return import_module(module).DERIVED if module else {}


def derived_module(question: str) -> str | None:
    """The module with the derivations of a question's folder; None where it has none."""
    package = package_of(question)
    return f"{package}.derived" if (QUESTIONS / question / "derived.py").is_file() else None


def find_task(name: str) -> Callable[[dict[str, Any], str], Outcome]:
    """The function that a task's name means, from specification and device to rows and arrays.

    Raises:
        ConfigError: there is none; the known ones are named.
    """
    tasks = import_module(task_module(name)).TASKS
    if name not in tasks:
        raise ConfigError(f"task {name!r}: unknown; allowed: {', '.join(tasks)}")
    return partial(_typed, tasks[name], parameters_of(name)[name])


def _typed(
    task: Callable[..., Outcome], kind: type[Parameters], spec: dict[str, Any], device: str
) -> Outcome:
    return task(kind.model_validate(spec), device)
