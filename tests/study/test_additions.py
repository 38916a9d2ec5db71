"""What one adds is one file or one entry: the examples of CONTRIBUTING.md, tried in a copy of the whole package."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflow.clone import ROOT, copy_of_clone

GRADIENTS = "src/odestudy/questions/gradients"
TINY = "src/odestudy/questions/tiny"
FENCED = r"\n\n```\w*\n(.*?)```\n"
STEP = re.compile(
    rf"(?:[Ii]n `(?P<file>[^`]+)`, after|and, after){FENCED}\nwrite{FENCED}|[Aa]s `(?P<new>[^`]+)` write{FENCED}",
    re.S,
)


def example(title: str) -> list[tuple[str, str | None, str]]:
    """(file, what stands there already or None for a new file, what is written) of a section of CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {title}\n")[1].split("\n## ")[0]
    steps: list[tuple[str, str | None, str]] = []
    for found in STEP.finditer(section):
        file, behind, entry, new, whole = found.groups()
        steps.append((new, None, whole) if new else (file or steps[-1][0], behind, entry))
    assert section.count("```") == sum(4 if behind else 2 for _, behind, _ in steps), title
    return steps


class Scratch:
    """A copy of the clone, and what was changed in it since."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.folder = copy_of_clone(folder)
        shutil.copytree(root / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
        self.before = self.files()

    def files(self) -> dict[str, str]:
        """Path -> hash of every file but what Python and a run leave."""
        found = (
            p for p in self.folder.rglob("*") if p.is_file() and not {"__pycache__", "results"} & set(p.parts)
        )
        return {str(p.relative_to(self.folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}

    def changed(self) -> set[str]:
        now = self.files()
        return {path for path in now if self.before.get(path) != now[path]}

    def write(self, file: str, text: str) -> None:
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def insert(self, file: str, behind: str, text: str) -> None:
        """One entry, behind a line that is there."""
        path = self.folder / file
        old = path.read_text()
        assert old.count(behind) == 1, f"{behind!r} in {file}"
        path.write_text(old.replace(behind, behind + text))

    def follow(self, title: str) -> None:
        """Do what CONTRIBUTING.md says of an addition."""
        for file, behind, text in example(title):
            if behind is None:
                self.write(file, text)
            elif behind in (self.folder / file).read_text():
                self.insert(file, behind, text)
            else:  # within a line
                self.insert(file, behind.rstrip("\n"), text.rstrip("\n"))

    def refine_less(self) -> None:
        """So that the methods are measured in a second."""
        tier = self.folder / "config/tiers/smoke.yaml"
        assert "base: {halvings: 5," in tier.read_text()
        tier.write_text(tier.read_text().replace("base: {halvings: 5,", "base: {halvings: 2,"))

    def python(self, code: str) -> str:
        """What code prints that runs with the copied package; `study` and `build` are there."""
        start = (
            "from pathlib import Path; from odestudy import build; from odestudy.study import load_study\n"
            "from odestudy.runtime.job import run_job\n"
            "study = load_study(Path.cwd(), 'smoke')\n"
            "def run(job): return run_job(job.spec, job.metrics(study.results), code=study.code_of(job), root=study.root)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", start + code], cwd=self.folder, text=True, capture_output=True, check=False,
            env={**os.environ, "PYTHONPATH": str(self.folder / "src")},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout.strip()

    def listed(self) -> str:
        """`odestudy list --jobs`."""
        done = subprocess.run(
            [sys.executable, "-m", "odestudy.cli.main", "list", "--tier", "smoke", "--jobs"], cwd=self.folder, text=True,
            capture_output=True, check=True, env={**os.environ, "PYTHONPATH": str(self.folder / "src")},
        )  # fmt: skip
        return done.stdout


@pytest.fixture
def scratch(root, tmp_path) -> Scratch:
    return Scratch(root, tmp_path)


def test_an_arm_is_one_entry_and_is_measured(scratch):
    arms = f"{GRADIENTS}/arms.py"
    scratch.follow("An arm")
    assert scratch.changed() == {arms}
    found = scratch.python(
        "from dataclasses import replace\n"
        "job, = study.jobs_by['gradients', 'tolerance']\n"
        "quick = load_study(Path.cwd(), 'quick').jobs_by['gradients', 'tolerance'][0].spec['arms'][-1]\n"
        "job = replace(job, spec=job.spec | {'arms': ['backprop', 'kept_states'], 'tolerances': [1e-3]})\n"
        "print(quick, [(r['arm'], r['status']) for r in run(job)['rows']['runs']])"
    )
    assert found == "kept_states [('backprop', 'ok'), ('kept_states', 'ok')]"


def test_a_tableau_is_one_entry_and_its_order_is_measured(scratch):
    methods = "src/odestudy/ode/_methods.py"
    scratch.follow("A solver")
    assert scratch.changed() == {methods}
    found = scratch.python(
        "import json\n"
        "job, = study.jobs_by['gradients', 'order']\n"
        "fit, = [r for r in run(job)['rows']['fits'] if r['method'] == 'ralston2']\n"
        "print(json.dumps([fit['nominal'], fit['order'], fit['status']]))"
    )
    nominal, order, status = json.loads(found)
    assert (nominal, status) == (2, "ok")
    assert order == pytest.approx(2, abs=0.2)


def test_a_figure_is_one_file_and_is_drawn_and_shown(scratch):
    figure = f"{GRADIENTS}/figures/hundred.py"
    scratch.follow("A figure")
    assert scratch.changed() == {figure}
    scratch.refine_less()
    assert "gradients_hundred" in scratch.listed().split("gradients: ")[1].split("figures: ")[1]
    found = scratch.python(
        "from odestudy.report import context, figures_shown\n"
        "job, = study.jobs_by['gradients', 'order']\n"
        "run(job); build.make_table(study, 'gradients_hundred'); build.make_figure(study, 'gradients_hundred')\n"
        "whole = figures_shown.figure_markdown  # the others are not drawn here\n"
        "figures_shown.figure_markdown = lambda s, r, name, **how: whole(s, r, name, **how) if name == 'gradients_hundred' else ''\n"
        "shown = context.Context(study, study.results).rest('gradients')\n"
        "print((study.results / 'figures/gradients_hundred.svg').is_file(), shown)"
    )
    assert found.startswith("True")
    assert "A hundred steps. Errors." in found


def test_a_claim_is_one_entry_and_gets_its_verdict(scratch):
    file = "config/claims/gradients.yaml"
    scratch.follow("A claim")
    assert scratch.changed() == {file}
    scratch.refine_less()
    assert "C32" in scratch.listed().split("gradients: ")[1]
    found = scratch.python(
        "from odestudy.analysis.csvs import read_csv; from odestudy.analysis.ledger import judge\n"
        "job, = study.jobs_by['gradients', 'order']\n"
        "run(job); build.make_table(study, 'gradients_hundred')\n"
        "table = read_csv(study.results / 'tables/gradients_hundred.csv')\n"
        "claim = study.claims[-1]\n"
        "print(claim['id'], claim['kind'], judge(claim, study, {'gradients_hundred': table}).verdict)"
    )
    assert found == "C32 claim supported"


def test_a_system_is_one_entry_and_its_data_are_made(scratch):
    scratch.follow("A system")
    assert scratch.changed() == {"config/systems.yaml", "my/brusselator.py"}
    found = scratch.python(
        "import numpy as np; from odestudy.systems.own import own_field\n"
        "quick = load_study(Path.cwd(), 'quick')\n"
        "specs = [j.spec['system'] for j in quick.jobs.values() if 'system' in j.spec]\n"
        "own, = {s['field'] for s in specs if s['name'] == 'brusselator'}\n"
        "print(own_field(own)(a=1.0, b=3.0)(0.0, np.array([1.0, 3.0])).tolist())"
    )
    assert found == "[0.0, 0.0]"  # its fixed point (a, b/a)


def test_a_question_is_a_folder_a_file_and_one_entry_and_is_in_the_report(scratch):
    scratch.follow("A question")
    changed = scratch.changed()
    assert {path for path in changed if not path.startswith(f"{TINY}/")} == {
        "config/study.yaml",
        "config/questions/tiny.yaml",
    }
    assert "tiny_powers/seed0-" in scratch.listed()
    found = scratch.python(
        "from odestudy.report.context import Context\n"
        "job, = study.jobs_by['tiny', 'powers']\n"
        "print(job.spec['power'], run(job)['rows']['runs'][0]['value'])\n"
        "build.make_table(study, 'tiny_powers'); print(Context(study, study.results).rest('tiny'))"
    )
    assert found.startswith("3 8.0")
    assert "| 8 |" in found


def test_what_one_mistypes_in_a_question_of_ones_own_is_told_in_one_line(scratch):
    scratch.follow("A question")
    file = scratch.folder / "config/questions/tiny.yaml"
    file.write_text(file.read_text().replace("number: 2.0", "number: 2.0, powr: 3"))
    with pytest.raises(
        AssertionError, match=r"config/questions/tiny.yaml: experiments.powers: .* \(meant: power\?\)"
    ):
        scratch.python("")
