"""pyproject.toml, constraints.txt and the environments for conda agree, of the whole and of each rule."""

from __future__ import annotations

import ast
import re
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from rattler import MatchSpec
from rattler import Version as CondaVersion

from odestudy.study.code import PACKAGE, module_file, modules_of
from odestudy.study.overrides import OVERRIDES

# Where conda-forge and PyPI use different names.
CONDA_NAMES = {
    "pytorch": "torch", "matplotlib-base": "matplotlib", "memory_profiler": "memory-profiler", "snakemake-minimal": "snakemake",
}  # fmt: skip
IMPORTED_AS = {"ot": "POT", "sklearn": "scikit-learn", "yaml": "pyyaml", "pypandoc": "pypandoc_binary"}
QUESTIONS = [
    ".".join(("odestudy", *path.relative_to(PACKAGE).with_suffix("").parts))
    for path in sorted((PACKAGE / "questions").rglob("*.py"))
]
CODE = {
    "jobs": ["odestudy.runtime.batch", *(m for m in QUESTIONS if m.endswith(".tasks") or m.count(".") == 2)],
    "report": ["odestudy.build", *(m for m in QUESTIONS if ".figures." in m or m.endswith(".derived"))],
}
ENVIRONMENTS = sorted(CODE)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def wanted(root):
    data = tomllib.loads((root / "pyproject.toml").read_text())
    return {normal(r.name): r for r in map(Requirement, data["project"]["dependencies"])}


@pytest.fixture(scope="module")
def pins(root):
    lines = [
        line
        for line in (root / "constraints.txt").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    found = [Requirement(line) for line in lines]
    assert all(len(r.specifier) == 1 and next(iter(r.specifier)).operator == "==" for r in found)
    return {normal(r.name): next(iter(r.specifier)).version for r in found}


def test_every_dependency_is_pinned_inside_its_range(wanted, pins):
    for name, requirement in wanted.items():
        assert requirement.specifier.contains(pins[name]), (
            f"{name}: {pins[name]} not in {requirement.specifier}"
        )


def test_what_only_tests_and_pages_need_is_allowed_as_it_was_tried(root, pins):
    """Of the study itself tests/repository/test_oldest.py tries older ones; peers have no pins."""
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for text in (*extras["test"], *extras["docs"], *extras["slurm"]):
        wanted = Requirement(text)
        (bound,) = wanted.specifier
        pinned = pins[normal(wanted.name)].split(".")
        assert (bound.operator, bound.version) == (">=", ".".join(pinned[:2])), text


def conda_pins(file):
    """Package, as PyPI names it -> version, of an environment file for conda."""
    found = {}
    for entry in yaml.safe_load(file.read_text())["dependencies"]:
        if isinstance(entry, dict):
            for text in entry["pip"]:
                requirement = Requirement(text)
                found[normal(requirement.name)] = next(iter(requirement.specifier)).version
        else:
            spec = MatchSpec(entry)
            name = str(spec.name.normalized if hasattr(spec.name, "normalized") else spec.name)
            assert spec.version is not None or name == "pip", f"{entry}: no version"
            found[normal(CONDA_NAMES.get(name, name))] = str(spec.version).lstrip("=").removesuffix(".*")
    assert found.pop("pip") == "None"
    return found


def test_conda_has_the_same_pins(root, wanted, pins):
    found = conda_pins(root / "environment.yml")
    assert set(found) == {*wanted, "python"}
    for name, version in found.items():
        assert name == "python" or CondaVersion(version) == CondaVersion(pins[name]), (
            f"{name}: {version} in environment.yml, {pins[name]} pinned"
        )


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_environment_of_a_rule_has_pins_of_the_whole(root, name):
    file = root / f"workflow/envs/{name}.yml"
    assert set(conda_pins(file).items()) <= set(conda_pins(root / "environment.yml").items())
    assert set(yaml.safe_load(file.read_text())) == {"channels", "dependencies"}
    assert "pip install --quiet --no-deps --editable ." in file.with_suffix(".post-deploy.sh").read_text()


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_environment_of_a_rule_has_what_its_code_imports_and_no_more(root, name):
    """Of what is looked for while running, statsmodels ships the data of one task; peers are optional."""
    modules = set().union(*(modules_of(module) for module in CODE[name]))
    imported = {top for module in modules for top in third_party(module)}
    imported -= {"torchode", "pydantic_core"}
    imported |= {"statsmodels"}
    assert set(conda_pins(root / f"workflow/envs/{name}.yml")) == {"python"} | {
        normal(IMPORTED_AS.get(top, top)) for top in imported
    }


def third_party(module):
    """The packages that a module of ours imports, also inside functions."""
    for node in ast.walk(ast.parse(module_file(module).read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        yield from ({name.split(".")[0] for name in names} - sys.stdlib_module_names - {"odestudy"})


def test_every_rule_that_runs_a_script_names_its_environment(root):
    named = {}
    for path in (root / "workflow/rules").glob("*.smk"):
        text = path.read_text()
        found = re.findall(r'conda:\n +"\.\./envs/(\w+)\.yml"', text)
        assert text.count("script:") == len(found), path
        named |= {path.stem: set(found)} if found else {}
    assert named == {"jobs": {"jobs"}, "tables": {"report"}, "figures": {"report"}, "report": {"report"}}


def test_the_workflow_catalogue_finds_what_it_looks_for(root):
    about = yaml.safe_load((root / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(about) == {"mandatory-flags", "software-stack-deployment"}
    assert all(isinstance(works, bool) for works in about["software-stack-deployment"].values())
    assert (root / "workflow/Snakefile").is_file()
    assert 'include: "workflow/Snakefile"' in (root / "Snakefile").read_text()
    text = (root / "config/README.md").read_text()
    for path in (root / "config").glob("*"):
        assert path.name == "README.md" or f"`{path.name}" in text, path
    settings = yaml.safe_load((root / "workflow/schemas/study.schema.yaml").read_text())["properties"]
    for key in (*settings, *OVERRIDES):
        assert f"`{key}`" in text, key
