"""The suite against deliberate faults: each is put into a copy of the source, and the tests that it names must fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FAULTS: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("faults.yaml").read_text())
FAILED = {1, 2}  # pytest's exit codes for tests that fail, and for files that cannot even be imported


def test_there_are_faults_of_every_part_and_each_has_its_place_in_the_source():
    parts = {"ode", "questions", "analysis", "runtime", "report"}
    assert parts <= {fault["file"].split("/")[0] for fault in FAULTS.values()}
    for name, fault in FAULTS.items():
        text = (ROOT / "src/odestudy" / fault["file"]).read_text()
        assert text.count(fault["find"]) == 1, name
        assert fault["find"] != fault["replace"], name
        assert [file for file in fault["tests"] if not (ROOT / file.split("::")[0]).is_file()] == [], name


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_noticed_by_its_tests(name, tmp_path):
    fault = FAULTS[name]
    source = tmp_path / "src"
    shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    file = source / "odestudy" / fault["file"]
    file.write_text(file.read_text().replace(fault["find"], fault["replace"]))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *fault["tests"]],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(source)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in FAILED, done.stdout[-2000:] + done.stderr[-2000:]
