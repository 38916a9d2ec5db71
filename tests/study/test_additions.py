"""What one adds is one file or one entry: tried in a copy of the whole package and its configuration."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflow.clone import copy_of_clone

GRADIENTS = "src/odestudy/questions/gradients"
TINY = "src/odestudy/questions/tiny"


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

    def refine_less(self) -> None:
        """So that the methods are measured in a second."""
        tier = self.folder / "config/tiers/smoke.yaml"
        assert "base: {halvings: 6," in tier.read_text()
        tier.write_text(tier.read_text().replace("base: {halvings: 6,", "base: {halvings: 2,"))

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
    scratch.insert(
        arms,
        '    "torchode_backprop": ("torchode", "backprop"),\n',
        '    "kept_states": ("odestudy", "checkpointed"),\n',
    )
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
    scratch.insert(
        methods, '    "dopri8": DOPRI8,\n',
        '    "ralston2": ExplicitTableau(\n'
        '        name="ralston2", order=2, c=(0.0, 2 / 3), a=((2 / 3,),), b=(0.25, 0.75),\n'
        "        dense=cubic_hermite((0.25, 0.75), order=2),\n"
        '        source="Ralston 1962",\n    ),\n',
    )  # fmt: skip
    imports = "from odestudy.ode.tableaus.dopri8 import DOPRI8\n"
    scratch.insert(methods, imports, "from odestudy.ode.tableaus._hermite import cubic_hermite\n")
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
    scratch.write(
        figure,
        '"""A hundred steps."""\n\n'
        "from odestudy.figures.style import canvas\n\n"
        'SHOWS = {"title": "A hundred steps", "tables": ["gradients_hundred"]}\n\n\n'
        "def draw(data):\n"
        "    figure, axes = canvas()\n"
        '    axes[0, 0].semilogy(data.table("gradients_hundred")["error_pct"], ".")\n'
        "    return figure\n\n\n"
        "def caption(data):\n"
        '    return "Errors."\n\n\n'
        "def alt(data):\n"
        '    return "Dots."\n',
    )
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
    scratch.insert(
        file, "\nclaims:\n",
        "  C32:\n"
        "    title: The midpoint rule is nearer to y' = y than Euler's method.\n"
        "    says: With a hundred steps on y' = y the midpoint rule is wrong by less than a twentieth.\n"
        "    headline: C32\n"
        "    meant: A second order is worth more than a first.\n"
        "    fair: Both take the steps of the source.\n"
        "    change: Another problem.\n"
        "    sources: [I solving the ODE]\n"
        "    class: identity\n"
        "    deterministic: true\n"
        "    measure: error_after_hundred_steps\n"
        "    is: midpoint rule\n"
        "    where: {method: midpoint}\n"
        "    accept: {at_most: 5, because: It is visible otherwise.}\n",
    )  # fmt: skip
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


QUESTION = """
title: A tiny question
asks: Does a question of one's own run?
columns:
  value: {label: value}
experiments:
  powers:
    task: tiny_powers.powers
    does: Raises a number to powers.
    seeds: [0]
    base: {number: 2.0}
tables:
  tiny_powers:
    title: Powers
    experiments: [powers]
    rows: runs
    summary: {by: [seed], columns: [value]}
"""
PARAMS = '''
"""Parameters."""

from pydantic import Field

from odestudy.runtime.parameters import Parameters


class Powers(Parameters):
    number: float = Field(description="What is raised.")
    power: int = Field(3, description="To which power.")


PARAMS = {"tiny_powers.powers": Powers}
'''
TASKS = '''
"""Tasks."""

from odestudy.questions.tiny.params import Powers
from odestudy.runtime.outcome import Outcome


def powers(params: Powers, device: str) -> Outcome:
    return Outcome({"runs": [{"seed": 0, "value": params.number**params.power, "status": "ok", "message": ""}]})


TASKS = {"tiny_powers.powers": powers}
'''


def test_a_question_is_a_folder_a_file_and_one_entry_and_is_in_the_report(scratch):
    scratch.insert("config/study.yaml", "questions: [", "tiny, ")
    scratch.write("config/questions/tiny.yaml", QUESTION)
    for name, text in (("__init__", '"""Tiny."""\n'), ("params", PARAMS), ("tasks", TASKS)):
        scratch.write(f"{TINY}/{name}.py", text)
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
    scratch.insert("config/study.yaml", "questions: [", "tiny, ")
    scratch.write("config/questions/tiny.yaml", QUESTION.replace("number: 2.0", "number: 2.0, powr: 3"))
    for name, text in (("__init__", ""), ("params", PARAMS), ("tasks", TASKS)):
        scratch.write(f"{TINY}/{name}.py", text)
    with pytest.raises(
        AssertionError, match=r"config/questions/tiny.yaml: experiments.powers: .* \(meant: power\?\)"
    ):
        scratch.python("")
