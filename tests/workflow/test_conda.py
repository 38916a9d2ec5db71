"""`--software-deployment-method conda`, with a stand-in for conda: each rule's environment is made and its job runs in it."""

from __future__ import annotations

import json
import os
import shutil
import site
import sys

import pytest

from tests.workflow.clone import ROOT, copy_of_clone, run

TARGET = "results/smoke/done/images_sizes_1"
CONDA = r"""#!/usr/bin/env bash
case "$*" in
  "info --json") echo '{"conda_prefix": "PREFIX", "platform": "linux-64"}' ;;
  *--version*) echo "conda 25.1.1" ;;
  *channel_priority*) echo '{"get": {"channel_priority": "strict"}}' ;;
  *create*)
    folder=$(sed 's/.*--prefix "*\([^ "]*\).*/\1/' <<<"$*")
    PYTHON -m venv "$folder"
    echo PACKAGES >"$(echo "$folder"/lib/python3*/site-packages)/of_the_tests.pth" ;;
esac
"""


@pytest.mark.slow
def test_a_job_runs_in_the_environment_of_its_rule_which_has_the_study(tmp_path):
    """Packages are those of the tests, for conda's servers are not asked; the study's own is installed by our script."""
    folder = copy_of_clone(tmp_path / "clone")
    for name in ("src", "pyproject.toml", "README.md", "LICENSE"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, folder / name)
    programs = tmp_path / "conda/bin"
    programs.mkdir(parents=True)
    packages = site.getsitepackages()[0]
    text = CONDA.replace("PREFIX", str(programs.parent)).replace("PYTHON", sys.executable)
    (programs / "conda").write_text(text.replace("PACKAGES", packages))
    (programs / "conda").chmod(0o755)
    (programs / "activate").write_text('export PATH="$1/bin:$PATH"\n')
    run(
        folder, "--cores", "2", "--config", "tier=smoke", "questions=images", "--sdm", "conda", "--", TARGET,
        PATH=f"{programs}:{os.environ['PATH']}", PYTHONPATH=str(ROOT / "src"),
    )  # fmt: skip
    (done,) = (folder / ".snakemake/conda").glob("*.env_setup_done")
    made = done.with_name(done.name.removesuffix(".env_setup_done"))
    assert (made.with_name(made.name + ".yaml")).read_bytes() == (
        ROOT / "workflow/envs/jobs.yml"
    ).read_bytes()
    assert list(made.glob("lib/python3*/site-packages/odestudy-*.dist-info"))
    metrics = next(folder.glob("results/smoke/runs/images_sizes/*/metrics.json"))
    assert json.loads(metrics.read_text())["rows"]["runs"]
