"""A job that lacks what its task needs is refused when the study is planned."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest

from odestudy.errors import ConfigError
from odestudy.runtime.registry import package_of, parameters_of
from odestudy.study import load_study
from odestudy.study.config import load_checked

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = load_checked(ROOT, "config/study.yaml", "study")["questions"]


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


@pytest.mark.parametrize("question", QUESTIONS)
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
        ("images", of("sizes", rtol=None), "images_sizes.sizes needs 'step' or 'rtol' and 'atol' (with arm odenet_backprop)"),
        ("images", of("sweep", test_methods=["eulr"]), "sweep: images_solvers.sweep cannot use test_methods.0: 'eulr'"),
        ("images", of("train", amp=True), "images_train.train cannot use this: amp with dtype float64; one of them is possible"),
        ("dynamics", of("unstable_cured", window_min=9.0), "experiments.unstable_cured: dynamics.recover cannot use this: window_min 9 is above window_max 5"),
        ("dynamics", of("unstable_cured", noise=None), "dynamics.recover needs 'noise' or 'noise_pct'"),
        ("dynamics", of("crash", precisions=["float16"]), "precisions.0: 'float16' is not allowed; allowed: float32"),
        ("density", of("models", train_method="rk5"), "train_method: 'rk5' is not allowed"),
        ("density", of("linear", methods={"eulr": 3}), "methods"),
        ("density", of("steep", formulas=["trase"]), "formulas.0: 'trase'"),
        ("timeseries", of("released", kind="linaer"), "timeseries.forecast cannot use kind: 'linaer' is not allowed; allowed: archimedean, linear"),
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


def test_an_arm_of_images_is_refused_where_it_stands(edit):
    root = edit("config/questions/images.yaml", lambda d: d["entries"]["arm"]["resnet6"].pop("blocks"))
    with pytest.raises(
        ConfigError, match=r"^config/questions/images\.yaml: entries\.arm\.resnet6: needs 'arm\.blocks'"
    ):
        load_study(root, "smoke")


def test_a_question_without_a_folder_is_told_in_one_line(edit):
    root = edit("config/study.yaml", lambda d: d["questions"].append("image"))
    with pytest.raises(ConfigError, match=r"image"):
        load_study(root, "smoke")


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
