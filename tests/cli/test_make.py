"""What `make` alone says is whole, and a mistyped tier is met before anything is installed."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no make on this machine")


@pytest.fixture
def makefile(root):
    return (root / "Makefile").read_text(encoding="utf-8")


def make(root, *words):
    return subprocess.run(["make", *words], cwd=root, capture_output=True, text=True, check=False)


def test_each_target_has_its_line(root, makefile):
    said = make(root).stdout
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert re.findall(r"^make (\w+) ", said, re.MULTILINE) != []
    assert {*re.findall(r"^make (\w+) ", said, re.MULTILINE), "help"} == set(phony.split())


def test_each_variable_that_a_user_may_set_is_named(root, makefile):
    optional = set(re.findall(r"\$\(if \$\((\w+)\)", makefile)) | set(
        re.findall(r"^(\w+) \?=", makefile, re.MULTILINE)
    )
    assert {"TIER", "ARMS", "CORES"} <= optional
    assert {name for name in optional - {"OWN"} if f"{name}=" not in make(root).stdout} == set()


@pytest.mark.parametrize("target", ["study", "report", "verdicts", "publish"])
def test_a_mistyped_tier_is_told_with_those_that_there_are(root, tmp_path, target):
    shutil.copy(root / "Makefile", tmp_path)
    (tmp_path / "config").symlink_to(root / "config")
    done = make(tmp_path, target, "TIER=smok")
    assert done.returncode == 2
    assert re.search(r"TIER=smok: no such tier; there are:.* smoke", done.stderr)
    assert not (tmp_path / ".venv").exists()
