"""What `make wheels` gathers: all that the study needs, but what the other machine has; and its scripts are sound."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@pytest.fixture(scope="module")
def wheels(root):
    spec = importlib.util.spec_from_file_location("wheels", root / "tools/wheels.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def needed(wheels):
    return wheels.needed("odestudy", "3.12", wheels.OF_THE_MACHINE)


def test_everything_that_is_needed_is_pinned(root, wheels, needed):
    pinned = wheels.pins((root / "constraints.txt").read_text())
    assert len(needed) > 50
    assert not needed - set(pinned)
    assert pinned["snakemake"].startswith("snakemake==")


def test_neither_torch_nor_what_only_torch_needs_is_gathered(wheels, needed):
    assert not {name for name in needed if name in wheels.OF_THE_MACHINE or name.startswith("nvidia")}
    assert "filelock" in wheels.needed("torch", "3.12")
    assert "filelock" not in needed
    assert {"snakemake", "pydantic-core", "torchdiffeq"} <= needed  # of its own, of another, beside torch


def test_each_dependency_of_the_study_is_gathered(root, wheels, needed):
    own = tomllib.loads((root / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {canonicalize_name(Requirement(text).name) for text in own} - set(wheels.OF_THE_MACHINE) <= needed


@pytest.mark.parametrize(
    "text",
    [
        "numpy, PyYAML, scikit_learn",
        "Package  Version\n-------- -------\nnumpy    2.4\nPyYAML   6.0 /somewhere\nscikit-learn 1.9",
        "numpy==2.4\nPyYAML==6.0\nscikit-learn==1.9\n",
        "numpy\nPyYAML\nscikit-learn",
    ],
)
def test_what_a_machine_has_is_read_as_pip_prints_it(wheels, text):
    assert wheels.names_in(text) - {"package"} == {"numpy", "pyyaml", "scikit-learn"}


@pytest.mark.parametrize("script", ["tools/offline.sh", "benchmarks/gpu.sh"])
def test_a_script_is_read_by_bash(root, script):
    subprocess.run(["bash", "-n", str(root / script)], check=True)


def test_the_gpu_script_packs_what_is_finished_when_its_time_is_over(root, tmp_path):
    """With stand-ins for the study's commands, of which one never ends."""
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / ".venv/bin").mkdir(parents=True)
    shutil.copy(root / "benchmarks/gpu.sh", tmp_path / "benchmarks")
    study = tmp_path / ".venv/bin/odestudy"
    study.write_text(
        '#!/bin/sh\necho "$@"\n[ "$1" = study ] && exec sleep 300\n[ "$1" = pack ] && echo packed > "$2"\n'
    )
    study.chmod(0o755)
    command = ["bash", "benchmarks/gpu.sh", "out", "31", "train"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True)
    assert "study: status 124" in done.stdout
    assert (tmp_path / "out/study.zip").read_text() == "packed\n"
    assert "study --tier full --questions images --arms resnet6" in (tmp_path / "out/log.txt").read_text()
