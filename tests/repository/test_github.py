"""What GitHub reads of this repository: sound, and nothing that .ci/run and the Makefile do not do by themselves."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import Draft7Validator

from odestudy import __version__


def valid(schema, content):
    errors = [f"{error.json_path}: {error.message}" for error in Draft7Validator(schema).iter_errors(content)]
    assert not errors, errors


@pytest.fixture(scope="module")
def workflows(root):
    """File -> content; YAML's first version, which PyYAML reads, takes the key `on` for a truth value."""
    found = {p: yaml.safe_load(p.read_text()) for p in sorted((root / ".github/workflows").glob("*.yml"))}
    return {p: {"on" if key is True else key: value for key, value in c.items()} for p, c in found.items()}


def steps(content):
    return [step for job in content["jobs"].values() for step in job["steps"]]


def test_each_workflow_is_one_as_github_has_them(workflows):
    assert {p.stem for p in workflows} == {"check", "weekly", "verdicts"}
    for content in workflows.values():
        valid(get_builtin_schema("vendor.github-workflows"), content)
        assert content["permissions"]["contents"] == "read"
        assert all(job["timeout-minutes"] <= 180 for job in content["jobs"].values())


def test_a_workflow_runs_only_what_anyone_can_run(root, workflows):
    known = set(re.findall(r"^## make (\w+)", (root / "Makefile").read_text(), re.MULTILINE))
    own = re.compile(r"bash \.ci/run|make (?:--silent )?(\w+)\b.*|cat comment\.md .*|gh pr comment .*")
    for content in workflows.values():
        for step in steps(content):
            if "run" in step:
                found = own.fullmatch(step["run"])
                assert found, step
                assert found[1] is None or found[1] in known, step
                assert "${{" not in step["run"], "an expression in a shell's text: name it in env"
            else:
                assert step["uses"].startswith("actions/"), step


def test_actionlint_finds_nothing(root, workflows):
    program = shutil.which("actionlint")
    if program is None:
        pytest.skip("no actionlint here (https://github.com/rhysd/actionlint)")
    done = subprocess.run(
        [program, "-no-color", *workflows], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_citation_is_one_and_of_this_version(root):
    content = yaml.safe_load((root / "CITATION.cff").read_text())
    valid(get_builtin_schema("vendor.citation-file-format"), content)
    assert content["version"] == __version__


def test_the_log_of_changes_has_the_form_that_it_names(root):
    lines = (root / "CHANGELOG.md").read_text().splitlines()
    assert next(line for line in lines if line.startswith("## ")) == "## Unreleased"
    kinds = {line.removeprefix("### ") for line in lines if line.startswith("### ")}
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
