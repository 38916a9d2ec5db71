"""The oldest versions that pyproject.toml allows, in an environment of their own: the solvers, and a run cut to its least."""

from __future__ import annotations

import subprocess

import pytest

from tests.workflow.clone import WITHOUT_SLURM, copy_of_clone

SOLVERS = ("methods", "odeint", "drop_in", "gradients", "numbers", "events", "implicit", "per_sample")
OF_THE_STUDY = (
    "tests/study",
    "tests/statistics",
    "tests/analysis",
    "tests/runtime",
    "tests/fit",
    "tests/points",
)


@pytest.fixture(scope="module")
def oldest(root, tmp_path_factory):
    """Its Python."""
    folder = tmp_path_factory.mktemp("oldest")
    done = subprocess.run(
        ["bash", "tools/oldest.sh", str(folder)], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "numpy==2.0" in done.stdout
    return folder / "bin/python"


def with_them(python, *words, cwd):
    environment = {name: value for name, value in WITHOUT_SLURM.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [python, "-m", *words], cwd=cwd, env=environment | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.slow
def test_solvers_and_study_pass_their_tests(root, oldest):
    files = [f"tests/ode/test_{name}.py" for name in SOLVERS]
    with_them(
        oldest, "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", *files, *OF_THE_STUDY, cwd=root
    )


@pytest.mark.slow
def test_the_smoke_tier_runs_to_its_report(oldest, tmp_path):
    with_them(oldest, "snakemake", "--cores", "2", "--config", "tier=smoke", cwd=copy_of_clone(tmp_path))
    assert (tmp_path / "results/smoke/report/report.pdf").is_file()
