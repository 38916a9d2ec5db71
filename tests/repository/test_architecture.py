"""The house: what imports what. docs/architecture.md draws it."""

from __future__ import annotations

import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import pytest

from odestudy.runtime.names import names_in
from odestudy.runtime.registry import task_module
from odestudy.study.code import PACKAGE, direct_imports, modules_of
from odestudy.study.config import load_yaml

PRESENTS = (
    "odestudy.analysis",
    "odestudy.figures",
    "odestudy.report",
    "odestudy.publication",
    "odestudy.build",
)
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
TYPED = sorted(path.parent.name for path in (PACKAGE / "questions").glob("*/tasks.py"))
TASK_MODULES = [task_module(question) for question in TYPED]


def imports_of(module: str) -> set[str]:
    """What a module imports, also inside functions; not the packages that it lies in, which it need not name."""
    return {m for m in direct_imports(module) if not module.startswith(f"{m}.")}


def cycle_in(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def test_no_module_imports_itself_by_way_of_others():
    assert len(MODULES) > 200
    assert not cycle_in({module: imports_of(module) for module in MODULES})


def test_no_room_imports_itself_by_way_of_others():
    graph: dict[str, set[str]] = {}
    for module in MODULES:
        if module != "odestudy":
            graph.setdefault(room(module), set()).update(map(room, imports_of(module)))
    assert not cycle_in({one: others - {one} for one, others in graph.items()})


def test_a_cycle_is_seen():
    assert cycle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}})


@pytest.mark.parametrize("module", [*TASK_MODULES, "odestudy.runtime.job", "odestudy.ode"])
def test_what_computes_imports_nothing_that_draws_or_reports_or_plans(module):
    forbidden = (
        *PRESENTS,
        "odestudy.study",
        *(f"odestudy.questions.{question}.figures" for question in TYPED),
    )
    reached = {m for m in modules_of(module) if m.startswith(forbidden)}
    assert not reached, f"{module} reaches {reached}"


@pytest.mark.parametrize("question", TYPED)
def test_inside_a_questions_folder_only_figures_draw(question):
    package = f"odestudy.questions.{question}"
    for module in MODULES:
        if module.startswith(f"{package}.") and not module.startswith(f"{package}.figures"):
            assert not {
                m for m in modules_of(module) if m.startswith((f"{package}.figures", "odestudy.figures"))
            }, module


@pytest.mark.parametrize("question", TYPED)
def test_parameters_are_read_without_torch_and_each_has_its_task(question):
    names = [
        set(names_in(f"odestudy.questions.{question}.{m}", r))
        for m, r in (("params", "PARAMS"), ("tasks", "TASKS"))
    ]
    assert names[0] == names[1]
    code = f"import sys, odestudy.questions.{question}.params as p; assert p.PARAMS and 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_names_of_a_registry_are_read_without_importing_it():
    from odestudy.ode import TABLEAUS

    assert names_in("odestudy.ode._methods", "TABLEAUS") == tuple(TABLEAUS)
    with pytest.raises(LookupError, match="no dictionary TABLEAU"):
        names_in("odestudy.ode._methods", "TABLEAU")


def test_the_drawing_of_the_house_names_every_room(root):
    text = (root / "docs/architecture.md").read_text()
    rooms = {m.split(".")[1] for m in MODULES if m.count(".") >= 1}
    rows = [line for line in text.split("## The folder")[0].splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == rooms
    for question in load_yaml(root / "config/study.yaml")["questions"]:
        assert question in text
