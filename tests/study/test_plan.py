"""Configuration to jobs: identity, grids, refusals."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from odestudy.errors import ConfigError
from odestudy.runtime.keys import canonical, key_of
from odestudy.study import load_study
from odestudy.study.code import code_hash, direct_imports, modules_of
from odestudy.study.jobs import Job, readable


def test_every_tier_expands_to_jobs_with_different_folders(root):
    for tier in ("smoke", "quick", "cpu", "full"):
        study = load_study(root, tier)
        keys = {job.key for jobs in study.jobs_by.values() for job in jobs}
        assert len(study.jobs) == len(keys) > 0, f"{tier}: a folder for each specification"


def test_the_identity_does_not_depend_on_the_order_of_keys():
    assert key_of({"a": 1, "b": [1, 2]}) == key_of({"b": [1, 2], "a": 1}) != key_of({"a": 1, "b": [2, 1]})


def test_a_specification_with_nan_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        canonical({"a": float("nan")})


@pytest.mark.parametrize(("label", "folder"), [("a b/../c", "a_b_.._c"), ("...", "job"), ("λ=1.5", "1.5")])
def test_a_label_becomes_a_safe_folder_name(label, folder):
    assert readable(label) == folder


def test_the_seed_list_is_part_of_the_identity():
    assert Job({"task": "a.b", "seeds": [0]}, "x").folder != Job({"task": "a.b", "seeds": [0, 1]}, "x").folder


def test_two_questions_that_need_the_same_specification_share_the_job(edit):
    def twice(data):
        data["experiments"]["again"] = dict(data["experiments"]["recover"])

    root = edit("config/questions/dynamics.yaml", twice)
    edit(
        "config/tiers/smoke.yaml",
        lambda d: d["questions"]["dynamics"].update(again=d["questions"]["dynamics"]["recover"]),
    )
    study = load_study(root, "smoke")
    one, other = study.jobs_by["dynamics", "recover"], study.jobs_by["dynamics", "again"]
    assert [j.folder for j in one] == [j.folder for j in other]
    assert len(study.jobs_of("dynamics", ["recover", "again"])) == len(one)


def test_a_shared_specification_is_one_folder_even_under_another_label(edit):
    def twice(data):
        data["experiments"]["again"] = dict(data["experiments"]["recover"]) | {"label": "again-{system}"}

    root = edit("config/questions/dynamics.yaml", twice)
    same = edit(
        "config/tiers/smoke.yaml",
        lambda d: d["questions"]["dynamics"].update(again=d["questions"]["dynamics"]["recover"]),
    )
    study = load_study(same, "smoke")
    assert [j.folder for j in study.jobs_by["dynamics", "recover"]] == [
        j.folder for j in study.jobs_by["dynamics", "again"]
    ]
    assert root == same


def test_a_value_taken_out_of_the_grid_leaves_the_job_list(edit):
    root = edit(
        "config/tiers/smoke.yaml",
        lambda d: d["questions"]["dynamics"]["recover"]["grid"].update(system=["gated"]),
    )
    assert {j.spec["system"]["name"] for j in load_study(root, "smoke").jobs_by["dynamics", "recover"]} == {
        "gated"
    }


def test_a_new_system_is_one_entry_and_gets_its_jobs(edit):
    new = {
        "label": "weak focus", "field": "linear", "parameters": {"matrix": [[-0.2, -1.0], [1.0, -0.2]]},
        "z0": [1.0, 0.0], "horizon": 10.0, "groups": ["recover"],
    }  # fmt: skip
    root = edit("config/systems.yaml", lambda d: d.update(weak=new))
    names = {j.spec["system"]["name"] for j in load_study(root, "quick").jobs_by["dynamics", "recover"]}
    assert "weak" in names


def test_an_exclusion_removes_only_its_combination(edit):
    rule = {"when": {"system": "focus", "decades": 4.0}, "why": "an example"}
    root = edit("config/questions/dynamics.yaml", lambda d: d["experiments"]["decay"].update(exclude=[rule]))
    jobs = load_study(root, "smoke").jobs_by["dynamics", "decay"]
    assert {(j.spec["system"]["name"], j.spec["decades"]) for j in jobs} == {("focus", 1.0)}


def test_overrides_cut_questions_and_seeds(root):
    study = load_study(root, "quick", {"questions": "dynamics", "seeds": 2})
    assert list(study.questions) == ["dynamics"]
    whole = load_study(root, "quick", {"questions": "dynamics"})
    first = {tuple(j.spec["seeds"][:2]) for j in whole.jobs.values()}
    assert (200, 201) in first
    assert {tuple(j.spec["seeds"]) for j in study.jobs.values()} <= first


def measure_of(data, claim):
    return data["measures"][data["claims"][claim]["measure"]]


def tier_with(**recover):
    def change(data):
        data["questions"]["dynamics"]["recover"] = recover

    return change


@pytest.mark.parametrize(
    ("file", "how", "words"),
    [
        ("config/tiers/smoke.yaml", tier_with(base={"iterationz": 3}), ["questions.dynamics.recover", "iterationz", "unknown key", "iterations"]),
        ("config/tiers/smoke.yaml", tier_with(base={"rtol": -1.0}), ["questions.dynamics.recover", "rtol", "-1.0", "above 0"]),
        ("config/tiers/smoke.yaml", tier_with(base={"rtol": "1e-6"}), ["rtol", "string", "1.0e-6"]),
        ("config/tiers/smoke.yaml", tier_with(base={"iterations": True}), ["iterations", "boolean", "integer"]),
        ("config/tiers/smoke.yaml", tier_with(grid={"system": ["fokus"]}), ["unknown system 'fokus'", "focus"]),
        ("config/tiers/smoke.yaml", tier_with(grid={"systems": ["focus"]}), ["unknown axis", "system"]),
        ("config/tiers/smoke.yaml", tier_with(grid={"arm": []}), ["grid.arm", "a list of at least 1"]),
        ("config/tiers/smoke.yaml", tier_with(grid={"arm": ["tree"]}), ["'tree'", "linear, mlp"]),
        ("config/tiers/smoke.yaml", tier_with(seeds=[]), ["seeds", "at least 1"]),
        ("config/tiers/smoke.yaml", lambda d: d["questions"].update(dynamic={}), ["unknown question", "dynamics"]),
        ("config/tiers/smoke.yaml", lambda d: d["questions"]["dynamics"].update(x={}), ["unknown experiment", "recover"]),
        ("config/tiers/smoke.yaml", lambda d: d.update(verdict="all"), ["verdict: unknown key", "verdicts"]),
        ("config/study.yaml", lambda d: d.update(tier="huge"), ["tier", "'huge'", "smoke, quick, cpu, full"]),
        ("config/systems.yaml", lambda d: d["focus"].update(horizon=-1), ["focus.horizon", "above 0"]),
        ("config/systems.yaml", lambda d: d["focus"].update(field="quartic"), ["focus", "'quartic'", "linear, cubic, gated"]),
        (
            "config/questions/images.yaml",
            lambda d: d["experiments"]["train"]["grid"].update(arm=["resnet7"]),
            ["unknown arm 'resnet7'", "resnet6"],
        ),
        ("config/questions/images.yaml", lambda d: d.update(figures={"images_map": {"title": "x"}}), ["figures", "SHOWS"]),
        ("config/claims/images.yaml", lambda d: d["claims"]["C10"].update(verdict="true"), ["verdict: unknown key", "flip"]),
        ("config/claims/density.yaml", lambda d: d["claims"].update(C04=d["claims"]["C19"]), ["C04a: given twice"]),
        ("config/claims/images.yaml", lambda d: measure_of(d, "C10").update(table="images_size"), ["unknown table", "images_sizes"]),
        ("config/claims/images.yaml", lambda d: measure_of(d, "C10").update(column="parameter"), ["unknown column", "parameters"]),
        ("config/claims/images.yaml", lambda d: d["claims"]["C10"]["rows"]["a"]["accept"].update(at_least=9.0), ["at_least 9.0 is above at_most"]),
        ("config/systems.yaml", lambda d: d["focus"].update(parameters={"matrx": []}), ["focus", "matrx"]),
        ("config/systems.yaml", lambda d: d["focus"].update(z0=[1.0]), ["focus"]),
        ("config/questions/images.yaml", lambda d: d["entries"]["arm"]["resnet6"].update(blcoks=6), ["blcoks", "blocks"]),
        ("config/questions/images.yaml", lambda d: d["entries"]["arm"]["resnet6"].update(net="restnet"), ["'restnet'", "resnet"]),
        ("config/questions/images.yaml", lambda d: d["experiments"]["train"].update(task="images_train.trian"), ["images_train.trian", "images_train.train"]),
        ("config/questions/images.yaml", lambda d: d["experiments"]["train"].update(label="{arm"), ["label"]),
        ("config/questions/images.yaml", lambda d: d["experiments"]["train"].update(label="{}"), ["label", "''"]),
        ("config/questions/images.yaml", lambda d: d["experiments"]["train"]["base"].update(learning_rate=0), ["learning_rate: 0", "above 0"]),
        ("config/questions/images.yaml", lambda d: d["experiments"]["sweep"]["grid"].update(arm=["resnet6"]), ["arm", "odenet", "(with arm resnet6)"]),
        ("config/systems.yaml", lambda d: d.update({7: d["focus"]}), ["key 7 is of type integer", "quotes"]),
        ("config/systems.yaml", lambda d: d["focus"].update(z0=[2**64, 0.0]), ["focus.z0.0", "beyond 64 bits"]),
        ("config/questions/images.yaml", lambda d: d["experiments"]["train"]["grid"].update(foo=[1]), ["'foo'"]),
        ("config/questions/dynamics.yaml", lambda d: d["experiments"]["recover"]["base"].update(method="dopri55"), ["'dopri55'", "dopri5"]),
        ("config/questions/dynamics.yaml", lambda d: d["columns"]["systems"].update(levels="arms"), ["'arms'", "arm, cure"]),
        ("config/questions/dynamics.yaml", lambda d: d["columns"]["systems"].update(levels={"all": 5}), ["systems.levels.all", "string"]),
        ("config/questions/dynamics.yaml", lambda d: d["tables"]["dynamics_recovery"]["summary"].update(by=["sistem"]), ["'sistem'", "system"]),
    ],
)  # fmt: skip
def test_bad_configuration_is_refused_in_one_line_that_names_file_key_and_what_is_allowed(
    edit, file, how, words
):
    root = edit(file, how)
    with pytest.raises(ConfigError) as caught:
        load_study(root, "smoke")
    message = str(caught.value)
    assert "\n" not in message
    for word in [file, *words]:
        assert word in message, f"{word!r} not in {message!r}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1", "not valid YAML"),
        ("a: 1\na: 2", "given twice"),
        ("\x00", "not valid YAML"),
        ("{1: 2}: 3", "plain value"),
    ],
)
def test_a_file_that_is_no_yaml_is_refused_in_one_line(study_copy, text, words):
    (study_copy / "config" / "systems.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=words) as caught:
        load_study(study_copy, "smoke")
    assert "config/systems.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"questions": "image"}, "unknown question"),
        ({"seeds": 0}, "at least 1"),
        ({"seeds": "x"}, "whole number"),
        ({"device": "tpu"}, "cuda"),
    ],
)
def test_bad_overrides_are_refused(root, overrides, words):
    with pytest.raises(ConfigError, match=words):
        load_study(root, "smoke", overrides)


def test_an_unknown_tier_names_the_known_ones(root):
    with pytest.raises(ConfigError, match="smoke, quick, cpu, full"):
        load_study(root, "smokey")


def test_the_code_hash_of_a_question_is_blind_to_figures_and_comments(tmp_path, monkeypatch, root):
    import shutil

    from odestudy.study import code

    package = tmp_path / "odestudy"
    shutil.copytree(root / "src" / "odestudy", package)

    def fresh():
        for cached in (
            code._tree,
            code._hash,
            code.direct_imports,
            code.modules_of,
            code._counted,
            code.code_hash,
        ):
            cached.cache_clear()
        return code.code_hash("odestudy.questions.images.tasks"), code.code_hash(
            "odestudy.questions.images.figures.accuracy"
        )

    monkeypatch.setattr(code, "PACKAGE", package)
    try:
        before = fresh()
        style = package / "figures" / "style.py"
        style.write_text(style.read_text() + "\nEXTRA = 1\n")
        restyled = fresh()
        assert restyled[0] == before[0]
        assert restyled[1] != before[1]
        net = package / "nets" / "images.py"
        net.write_text("# a comment\n" + net.read_text().replace('"""Image classifiers', '"""Classifiers'))
        assert fresh() == restyled
        solver = package / "ode" / "tableaus" / "rodas5p.py"
        solver.write_text(solver.read_text() + "\nEXTRA = 1\n")
        assert fresh() == restyled, "the solvers' code does not count"
        numbers = package / "ode" / "numbers.py"
        numbers.write_text(re.sub(r"NUMBERS = \d+", "NUMBERS = 0", numbers.read_text()))
        raised = fresh()
        assert raised[0] != before[0], "but the version of their numbers does"
        net.write_text(net.read_text() + "\nEXTRA = 1\n")
        assert fresh()[0] not in (before[0], raised[0])
        assert fresh()[1] == restyled[1]
    finally:
        monkeypatch.undo()
        fresh()


def test_the_code_hash_follows_imports():
    assert "odestudy.integrate" in modules_of("odestudy.questions.dynamics.tasks")
    assert "odestudy.integrate" in direct_imports("odestudy.nets.images")
    assert code_hash("odestudy.questions.dynamics.tasks") != code_hash("odestudy.questions.images.tasks")
    with pytest.raises(ValueError, match="no such module"):
        code_hash("odestudy.nothing")


def test_planning_and_presenting_do_not_import_torch(root):
    code = (
        "import sys; from pathlib import Path; from odestudy.study import load_study; import odestudy.cli.main;"
        f"load_study(Path({str(root)!r}), 'full'); import odestudy.report.context, odestudy.build;"
        "assert 'torch' not in sys.modules, 'torch was imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
