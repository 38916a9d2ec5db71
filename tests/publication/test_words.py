"""Words are untied from numbers: what is reworded is shown anew, and no table, ledger or published file changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from odestudy import build
from odestudy.publication.unpack import unpack
from odestudy.runtime.packed import read_packed, write_packed
from odestudy.study import load_study
from odestudy.study.fingerprints import ledger_numbers, numbers_of, words_of

QUESTIONS = ("dynamics", "images", "density", "timeseries", "gradients")


def prints(root: Path) -> dict[str, str]:
    """What each kind of file depends on of the configuration."""
    study = load_study(root, "smoke")
    found = {"ledger": ledger_numbers(study), "report": study.fingerprint}
    for question in QUESTIONS:
        found |= {
            f"tables {question}": numbers_of(study, question),
            f"figures {question}": words_of(study, question),
        }
    return found


def changed(root: Path, file: str, pattern: str, new: str) -> set[str]:
    before, path = prints(root), root / file
    text, count = re.subn(pattern, new, path.read_text(encoding="utf-8"), count=1, flags=re.M)
    assert count == 1, f"{file} has no {pattern}"
    path.write_text(text, encoding="utf-8")
    after = prints(root)
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(
    ("file", "pattern", "new", "remade"),
    [
        ("config/claims/images.yaml", "On MNIST", "With MNIST", {"report"}),
        ("config/claims/images.yaml", "short: ", "short: the ", {"report"}),
        ("config/claims/gradients.yaml", "A residual block is exactly", "One residual block is", {"report"}),
        ("config/claims/gradients.yaml", "title: A residual block", "title: One residual block", {"report"}),
        ("config/claims/gradients.yaml", "short: numbers whose", "short: those whose", {"report"}),
        ("config/claims/gradients.yaml", "      A step of another", "      The step of another", {"report"}),
        ("config/questions/images.yaml", "^title: ", "title: New, ", {"report"}),
        ("config/questions/images.yaml", "    does: ", "    does: In short, ", {"report"}),
    ],
)  # fmt: skip
def test_a_reworded_claim_or_title_changes_the_report_alone(study_copy, file, pattern, new, remade):
    assert changed(study_copy, file, pattern, new) == remade


def test_a_reworded_label_changes_the_figures_of_its_question(study_copy):
    found = changed(study_copy, "config/questions/density.yaml", "label: noisy timing", "label: loud timing")
    assert found == {"report", "figures density"}


def test_a_moved_bound_changes_the_ledger_and_no_table(study_copy):
    found = changed(study_copy, "config/claims/images.yaml", "at_most: ", "at_most: 1")
    assert found == {"report", "ledger"}


def test_another_scale_of_a_column_changes_tables_and_ledger(study_copy):
    found = changed(
        study_copy,
        "config/questions/timeseries.yaml",
        "against noisy points, scale: log",
        "against noisy points",
    )
    assert found == {"report", "ledger", "tables timeseries", "figures timeseries"}


def test_a_published_ledger_holds_no_word_of_a_claim(root):
    study = load_study(root, "quick")
    text = (root / "results/published/quick-cpu/ledger.csv").read_text(encoding="utf-8")
    for claim in study.claims:
        estimand = claim.get("estimand", {})
        for words in (
            claim["says"],
            claim.get("note", ""),
            estimand.get("is", ""),
            estimand.get("short", ""),
        ):
            assert not words or words not in text, claim["id"]


def test_a_reworded_claim_caption_label_and_section_leave_tables_ledger_and_packed_files(study_copy, root):
    results = root / "results/published/cpu-hopper"

    def made() -> dict[str, bytes]:
        study = unpack(study_copy, results)
        build.make_all_tables(study)
        for question, packed in read_packed(results).items():
            write_packed(study.results / "again", question, packed)
        return {
            p.relative_to(study.results).as_posix(): p.read_bytes()
            for p in study.results.rglob("*.*")
            if p.is_file()
        }

    before = made()
    for file, pattern, new in (
        ("config/claims/images.yaml", "On MNIST", "With MNIST"),
        ("config/questions/images.yaml", "label: ResNet", "label: Residual network"),
        ("config/questions/images.yaml", "    title: ", "    title: Anew, "),
        ("report/sections/images.md.j2", "MNIST", "the digits"),
    ):
        path = study_copy / file
        text = path.read_text(encoding="utf-8")
        assert pattern in text, file
        path.write_text(text.replace(pattern, new), encoding="utf-8")
    after = made()
    assert before == after
    assert {"tables/ledger.csv", "tables/images_accuracy.csv", "again/metrics/images.json.xz"} <= set(after)
