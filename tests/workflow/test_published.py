"""What is published, against this clone: nothing altered, and the ledger follows from the metrics."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from odestudy import build
from odestudy.analysis.csvs import read_csv
from odestudy.figures.answers.draw import picture
from odestudy.publication.manifest import read_manifest, sums_of, write_manifest
from odestudy.publication.snapshot import GUIDE, PAGE, README, advice_of, page_of, summary_of
from odestudy.publication.unpack import unpack
from odestudy.publication.verify import verify
from odestudy.report.answers import ANSWERS
from odestudy.report.context import Context
from odestudy.runtime.packed import read_packed, write_packed
from odestudy.runtime.store import seal
from tests.workflow.clone import copy_of_clone, run

pytestmark = pytest.mark.dag
ROOT = Path(__file__).resolve().parents[2]
QUICK = ROOT / "results/published/quick-cpu"
FOLDERS = sorted(path.parent for path in (ROOT / "results/published").glob("*/manifest.sha256"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_published_files_are_as_they_were_published(folder):
    assert sums_of(folder) == read_manifest(folder)


@pytest.mark.parametrize("folder", [f for f in FOLDERS if f != QUICK], ids=lambda folder: folder.name)
def test_the_published_ledger_follows_from_the_published_metrics(folder):
    problems, said = verify(ROOT, folder)
    assert problems == []
    assert said.endswith(
        f"{len(read_csv(folder / 'ledger.csv'))} rows of the ledger follow from the metrics."
    )


def test_so_does_that_of_the_quick_tier_where_another_processors_last_digits_differ(tmp_path):
    folder = tmp_path / QUICK.name
    shutil.copytree(QUICK, folder)
    rng, changed = np.random.default_rng(0), 0
    for question, packed in read_packed(folder).items():
        for content in packed.metrics.values():
            changed += sum(disturb(row, rng) for rows in content["rows"].values() for row in rows)
            content["seal"] = seal(content)
        write_packed(folder, question, packed)
    write_manifest(folder)
    assert changed > 10_000
    assert verify(ROOT, folder)[0] == []


def disturb(row: dict, rng: np.random.Generator) -> int:
    """Move the last digits of what was computed, by 10^-13 to 10^-12; what was chosen has few digits and stays."""
    computed = [k for k, v in row.items() if isinstance(v, float) and len(repr(v).strip("-0.")) > 12]
    for name in computed:
        row[name] *= 1 + rng.choice([-1, 1]) * 10 ** rng.uniform(-13, -12)
    return len(computed)


def test_readme_and_findings_are_those_of_the_published_quick_run(tmp_path):
    (tmp_path / "results").mkdir()
    for name in ("config", "workflow", "results/published"):
        (tmp_path / name).symlink_to(ROOT / name)
    study = unpack(tmp_path, tmp_path / "results/published/quick-cpu")
    build.make_all_tables(study)
    shown, readme = Context(study, study.results), (ROOT / README).read_text(encoding="utf-8")
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert page == page_of(study, shown.ledger)
    assert (
        summary_of(shown, {answer.name: picture(answer.name, shown.facts).alt for answer in ANSWERS})
        in readme
    )
    assert advice_of(shown) in (ROOT / GUIDE).read_text(encoding="utf-8")
    assert all((ROOT / "docs/pictures" / f"answer_{answer.name}.svg").is_file() for answer in ANSWERS)


def test_a_figure_of_published_results_that_are_not_laid_out_says_what_to_do(tmp_path):
    folder = copy_of_clone(tmp_path)
    shutil.copytree(ROOT / "results/published", folder / "results/published")
    done = run(folder, "-n", "results/shown/quick-cpu/figures/images_nfe.svg", check=False)
    assert done.returncode != 0
    assert "`odestudy report results/published/quick-cpu` does that" in done.stderr
