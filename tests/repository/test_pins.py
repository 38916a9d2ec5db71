"""pyproject.toml, constraints.txt and environment.yml agree."""

from __future__ import annotations

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from rattler import MatchSpec
from rattler import Version as CondaVersion

# Where conda-forge and PyPI use different names.
CONDA_NAMES = {
    "pytorch": "torch", "matplotlib-base": "matplotlib", "memory_profiler": "memory-profiler", "snakemake-minimal": "snakemake",
}  # fmt: skip


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


def test_conda_has_the_same_pins(root, wanted, pins):
    environment = yaml.safe_load((root / "environment.yml").read_text())
    found = {}
    for entry in environment["dependencies"]:
        if isinstance(entry, dict):
            for text in entry["pip"]:
                requirement = Requirement(text)
                found[normal(requirement.name)] = next(iter(requirement.specifier)).version
        else:
            spec = MatchSpec(entry)
            name = str(spec.name.normalized if hasattr(spec.name, "normalized") else spec.name)
            assert spec.version is not None or name == "pip", f"{entry}: no version"
            if name not in ("python", "pip"):
                found[normal(CONDA_NAMES.get(name, name))] = str(spec.version).lstrip("=").removesuffix(".*")
    assert set(found) == set(wanted)
    for name, version in found.items():
        assert CondaVersion(version) == CondaVersion(pins[name]), (
            f"{name}: {version} in environment.yml, {pins[name]} pinned"
        )
