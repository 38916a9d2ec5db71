"""A job that lacks what its task needs is refused when the study is planned."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from odestudy.errors import ConfigError
from odestudy.runtime.names import names_in
from odestudy.runtime.registry import package_of, parameters_of
from odestudy.study import load_study
from odestudy.study.code import PACKAGE
from odestudy.study.config import load_checked, load_yaml
from odestudy.study.grid import COMMON, expand
from odestudy.study.needs import FILE, check_needs, task_of
from odestudy.study.questions import load_question

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = load_checked(ROOT, "config/study.yaml", "study")["questions"]
MODULES = sorted(p for p in (PACKAGE / "questions").glob("*.py") if p.stem != "__init__")
UNTYPED = [question for question in QUESTIONS if not package_of(question)]

# What an experiment sets and one of its jobs can do without: the task has a default, another parameter chooses it, or
# an entry of the grid sets it.
FREE = {
    "images_train.train": {"schedule"},
    "images_solvers.cross": {"method", "rtol", "atol"},
    "images_cost.stages": {"method"},
}  # fmt: skip


def tasks() -> dict[str, Path]:
    """Name -> file of each task that there is."""
    named = ((path, names_in(f"odestudy.questions.{path.stem}", "TASKS")) for path in MODULES)
    return {f"{path.stem}.{name}": path for path, names in named for name in names}


def experiments() -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Question, name, definition and the entries of its axes."""
    settings = load_checked(ROOT, "config/study.yaml", "study")
    systems = load_checked(ROOT, "config/systems.yaml", "systems")
    for question in UNTYPED:
        spec = load_question(ROOT, question)
        for name, experiment in spec["experiments"].items():
            whole = settings["job"] | {"seeds": [0], "base": {}, "grid": {}} | experiment
            yield question, name, whole, spec.get("entries", {}) | {"system": systems}


def refused(experiment: dict[str, Any], entries: dict[str, Any]) -> str:
    """What planning says of an experiment's jobs; nothing where it takes them."""
    jobs = expand(experiment, entries, "where", dict.fromkeys(experiment["grid"], "where"))
    try:
        check_needs(ROOT, jobs, "where")
    except ConfigError as error:
        return str(error)
    return ""


def test_every_task_says_what_it_needs_and_no_other_does():
    assert set(load_yaml(ROOT / FILE)["tasks"]) == set(tasks())
    for task in tasks():
        Draft202012Validator.check_schema(task_of(ROOT, task))


def test_a_parameter_that_is_taken_out_of_any_experiment_is_refused_or_known_to_be_spare():
    tried = 0
    for _, name, experiment, entries in experiments():
        assert not refused(experiment, entries), name
        free = set()
        for key in experiment["base"]:
            tried += 1
            less = {k: v for k, v in experiment["base"].items() if k != key}
            if not (said := refused(experiment | {"base": less}, entries)):
                free.add(key)
            assert "\n" not in said
        assert free <= FREE.get(experiment["task"], set()), name
    assert tried > 50


def test_an_axis_that_is_taken_out_of_a_grid_is_refused_or_known_to_be_spare():
    for _, name, experiment, entries in experiments():
        for axis in experiment["grid"]:
            less = experiment | {
                "grid": {k: v for k, v in experiment["grid"].items() if k != axis},
                "label": "x",
            }
            assert refused(less, entries) or axis in FREE.get(experiment["task"], set()) | {
                "cure",
                "solver",
            }, name


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_what_a_question_reads_of_its_specification_is_named_by_what_its_tasks_need(path):
    named = {word for task, file in tasks().items() if file == path for word in words(task_of(ROOT, task))}
    tree = ast.parse(path.read_text())
    asked = {node.left.value for node in ast.walk(tree) if is_asked(node)}
    read = {node.slice.value for node in ast.walk(tree) if is_read(node)}
    assert read <= named | asked | set(COMMON)


def words(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, part in schema.items():
            yield key
            yield from words(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from words(part)
    elif isinstance(schema, str):
        yield schema


def is_read(node: ast.AST) -> bool:
    """spec["key"], not on the left of an assignment."""
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Load)
        and isinstance(node.value, ast.Name)
        and node.value.id == "spec"
        and isinstance(node.slice, ast.Constant)
    )


def is_asked(node: ast.AST) -> bool:
    """ "key" in spec."""
    return (
        isinstance(node, ast.Compare)
        and isinstance(node.left, ast.Constant)
        and isinstance(node.ops[0], ast.In)
        and isinstance(node.comparators[0], ast.Name)
        and node.comparators[0].id == "spec"
    )


def arguments_of(function) -> dict[str, Any]:
    """Argument -> default, empty where there is none; a tuple is a list, as in YAML."""
    found = {key: about.default for key, about in inspect.signature(function).parameters.items()}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in found.items()}


def test_a_target_takes_the_keyword_arguments_of_its_function_with_the_same_defaults():
    from odestudy.densities.targets import KINDS
    from odestudy.questions.density.params import Target

    entries = {get_args(e.model_fields["kind"].annotation)[0]: e for e in get_args(get_args(Target)[0])}
    assert set(entries) == set(KINDS)
    for kind, function in KINDS.items():
        arguments = get_args(entries[kind].model_fields["parameters"].annotation)[0]
        given = {key: about.default for key, about in arguments.model_fields.items()}
        assert given == arguments_of(function), kind


def test_a_problem_takes_the_keyword_arguments_of_its_function_with_the_same_defaults():
    from odestudy.questions.gradients.params import Problem
    from odestudy.questions.gradients.problems import KINDS

    entries = {get_args(e.model_fields["kind"].annotation)[0]: e for e in get_args(get_args(Problem)[0])}
    assert set(entries) == set(KINDS)
    for kind, function in KINDS.items():
        arguments = inspect.signature(function).parameters
        fields = entries[kind].model_fields["parameters"].annotation.model_fields
        needed = {key for key, about in arguments.items() if about.default is about.empty}
        assert {key for key, about in fields.items() if about.is_required()} == needed, kind
        given = {key: about.default for key, about in arguments.items() if key not in needed}
        assert {key: about.default for key, about in fields.items() if not about.is_required()} == given, kind


@pytest.mark.parametrize("question", [question for question in QUESTIONS if package_of(question)])
def test_every_typed_task_is_computed_by_a_function_and_says_what_each_parameter_is(question):
    kinds = parameters_of(question)
    assert set(kinds) == set(import_module(f"{package_of(question)}.tasks").TASKS)
    for kind in kinds.values():
        assert all(field.description for field in kind.model_fields.values()), kind


def entry(axis: str, name: str, **parameters: Any):
    """Give an entry of a question other keyword arguments."""
    return lambda data: data["entries"][axis][name].update(parameters=parameters)


def of(experiment: str, **changes: Any):
    """Change the base of an experiment; None takes a parameter out."""

    def change(data: dict[str, Any]) -> None:
        base = data["experiments"][experiment]["base"] | changes
        data["experiments"][experiment]["base"] = {k: v for k, v in base.items() if v is not None}

    return change


@pytest.mark.parametrize(
    ("question", "change", "says"),
    [
        ("images", of("train", batch=None), "experiments.train: images_train.train needs 'batch'"),
        ("images", lambda d: d["entries"]["arm"]["resnet6"].pop("blocks"), "needs 'arm.blocks' (with arm resnet6)"),
        ("images", of("sizes", rtol=None), "images_sizes.sizes needs 'step' or 'rtol' (with arm odenet_backprop)"),
        ("images", of("cross", test_methods=["eulr"]), "cross: images_solvers.cross cannot use test_methods.0: 'eulr'"),
        ("images", of("train", amp=True), "cannot use amp: True is not allowed; allowed: False (float64 was asked for)"),
        ("dynamics", of("unstable_start", window_min=9.0), "experiments.unstable_start: dynamics.recover cannot use this: window_min 9 is above window_max 5"),
        ("dynamics", of("unstable_start", noise=None), "dynamics.recover needs 'noise' or 'noise_pct'"),
        ("dynamics", of("crash", precisions=["float16"]), "precisions.0: 'float16' is not allowed; allowed: float32"),
        ("density", of("models", train_method="rk5"), "train_method: 'rk5' is not allowed"),
        ("density", of("linear", methods={"eulr": 3}), "methods"),
        ("density", of("steep", formulas=["trase"]), "formulas.0: 'trase'"),
        ("timeseries", of("compare", kind="linaer"), "timeseries.forecast cannot use kind: 'linaer' is not allowed; allowed: archimedean, linear"),
        ("gradients", of("tolerance", arms=["backprop", "adjoint2"]), "arms.1: 'adjoint2' is not allowed; allowed: backprop, checkpointed"),
        ("gradients", of("tolerance", arm=["backprop"]), "arm: unknown key; allowed: arms, device"),
        ("gradients", of("tolerance", tolerances=["1e-6"]), "tolerances.0: '1e-6' is a string; allowed: number (YAML needs"),
        ("gradients", of("identities", layers=0), "layers: 0 is not allowed; allowed: at least 1"),
        ("gradients", of("reverse", solvers=[{"name": "x", "method": "euler"}]), "needs 'steps' or 'rtol' in solvers.0"),
        ("gradients", of("cost", step_counts=[1, 2]), "allowed: a list of at least 4"),
        ("gradients", of("modes", arms=["backprop"]), "arms"),
        ("gradients", of("order", problems=[{"kind": "exponential", "parameters": {"horizon": 1.0}}]), "needs 'problems.0.name'"),
        ("gradients", of("order", problems=[{"name": "e", "kind": "exponential"}]), "needs 'problems.0.parameters'"),
    ],
)  # fmt: skip
def test_what_is_missing_or_unknown_is_told_in_one_line(edit, question, change, says):
    root = edit(f"config/questions/{question}.yaml", change)
    if "amp" in says:
        edit("config/tiers/quick.yaml", lambda d: d.update(job={"dtype": "float64"}))
    with pytest.raises(ConfigError) as caught:
        load_study(root, "quick", {"questions": question})
    said = str(caught.value)
    assert said.startswith(f"config/questions/{question}.yaml: experiments.")
    assert says in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("name", "parameters", "says"),
    [
        ("lotka", {"horizon": 1.0, "time": 1.0}, "problem.parameters.time: unknown key; allowed: horizon"),
        ("prothero", {"horizon": 1.0}, "needs 'problem.parameters.rate'"),
        ("stable", {"horizon": 1.0, "eigenvalu": 1.0}, "allowed: eigenvalue, horizon (meant: eigenvalue?)"),
    ],
)
def test_an_entry_of_a_typed_question_is_refused_where_it_stands(edit, name, parameters, says):
    root = edit("config/questions/gradients.yaml", entry("problem", name, **parameters))
    with pytest.raises(ConfigError) as caught:
        load_study(root, "smoke")
    said = str(caught.value)
    assert said.startswith(f"config/questions/gradients.yaml: entries.problem.{name}: ")
    assert says in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (entry("target", "pair4", seperation=4.0), "target.pair4: cannot use target.parameters.seperation: unknown key; allowed: separation, sigma"),
        (entry("target", "pair4", separation="far"), "target.parameters.separation: 'far' is a string; allowed: number"),
        (lambda d: d["entries"]["flow"]["generic"].pop("matrix"), "flow.generic: needs 'flow.matrix'"),
    ],
)  # fmt: skip
def test_an_entry_of_density_is_refused_where_it_stands(edit, change, says):
    root = edit("config/questions/density.yaml", change)
    with pytest.raises(ConfigError, match=r"^config/questions/density\.yaml: entries\.") as caught:
        load_study(root, "smoke")
    assert says in str(caught.value)


def test_what_a_tier_sets_is_refused_there(edit):
    def mistype(tier):
        tier["questions"]["gradients"]["modes"]["base"]["repeat"] = 3

    root = edit("config/tiers/smoke.yaml", mistype)
    with pytest.raises(
        ConfigError, match=r"^config/tiers/smoke.yaml: questions\.gradients\.modes: .* repeat: unknown key; "
    ):
        load_study(root, "smoke")


def test_what_an_experiment_leaves_out_has_its_default_in_the_specification(edit):
    root = edit("config/questions/gradients.yaml", of("modes", mode_steps=None))
    (one,), (other,) = (load_study(where, "quick").jobs_by["gradients", "modes"] for where in (root, ROOT))
    assert one.spec == other.spec
