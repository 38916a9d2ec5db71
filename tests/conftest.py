"""What many tests need: the clone's folder, the shared data where they exist, small studies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported: workers of pytest-xdist share the cores

import pytest
import yaml

from tests.workflow.clone import copy_of_clone, run

ROOT = Path(__file__).resolve().parent.parent


# What shares one smoke run stays in one worker; all else goes to whichever worker is free.
OF_SMOKE = (
    "tests/browser/", "tests/workflow/test_publishing", "tests/workflow/test_repeatable", "tests/workflow/test_report_files",
    "tests/workflow/test_slurm", "tests/workflow/test_taken_up", "tests/workflow/test_whole_study",
)  # fmt: skip


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Group what shares the smoke run; not by --dist loadgroup: pytest-xdist 3.8 groups nothing under pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    class SmokeTogether(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "smoke" if nodeid.startswith(OF_SMOKE) else nodeid

    return SmokeTogether(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs of the workflow begin first: they are the longest, so that no worker is left with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("dag") is None)


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture
def study_copy(tmp_path: Path) -> Path:
    """A folder with a copy of all configuration, to be changed by a test."""
    return copy_of_clone(tmp_path)


@pytest.fixture
def edit(study_copy: Path):
    """Change one YAML file of the copied study: edit("config/tiers/smoke.yaml", lambda d: ...)."""

    def change(file: str, how) -> Path:
        path = study_copy / file
        data = yaml.load(
            path.read_text(encoding="utf-8"), yaml.CSafeLoader
        )  # many times as fast as safe_load
        how(data)
        path.write_text(yaml.dump(data, Dumper=yaml.CSafeDumper, sort_keys=False), encoding="utf-8")
        return study_copy

    return change


@pytest.fixture(scope="session")
def mnist_files() -> Path:
    """The four official files of MNIST, where they lie beside the clone."""
    folder = ROOT.parent / "shared" / "data" / "MNIST" / "raw"
    if not (folder / "train-images-idx3-ubyte.gz").is_file():
        pytest.skip(f"MNIST's official files are not in {folder}")
    return folder


@pytest.fixture(scope="session")
def smoke(tmp_path_factory) -> Path:
    """A finished smoke run, with one system more than the study has."""
    folder = copy_of_clone(tmp_path_factory.mktemp("smoke"))
    systems = folder / "config/systems.yaml"
    entry = {
        "weak": {
            "label": "weak focus of a test", "field": "linear", "parameters": {"matrix": [[-0.2, -1.0], [1.0, -0.2]]},
            "z0": [1.0, 0.0], "horizon": 10.0, "groups": ["recover"],
        }
    }  # fmt: skip
    systems.write_text(systems.read_text() + yaml.safe_dump(entry))
    tier = folder / "config/tiers/smoke.yaml"
    tier.write_text(
        tier.read_text().replace(
            "recipe: [square], system: [focus], noise_pct",
            "recipe: [square], system: [focus, weak], noise_pct",
        )
    )
    run(folder, "--cores", "2", "--config", "tier=smoke")
    return folder
