"""What tables call their columns and values."""

from __future__ import annotations

import pandas as pd
import pypandoc
import pytest

from odestudy.analysis.labels import labels_of
from odestudy.report.markdown import rows_markdown, summary_markdown
from odestudy.study import load_study


@pytest.fixture(scope="module")
def study(root):
    return load_study(root, "smoke")


def test_a_label_belongs_to_its_question_and_column(study):
    dynamics, images = (labels_of(study, q) for q in ("dynamics", "images"))
    assert dynamics.of("gradient", "none") != images.of("arm", "none")
    assert dynamics.of("system", "unstable") != dynamics.of("problem", "unstable")
    assert dynamics.of("arm", "resnet6") == "resnet6"


def test_text_that_happens_to_be_a_name_stays_text(study):
    card = pd.DataFrame({"item": ["net"], "code": ["none"]})
    assert "none" in rows_markdown(card, {"item": "what", "code": "code"}, labels_of(study, "images"))


@pytest.mark.parametrize("question", ["dynamics", "timeseries"])
def test_every_column_that_a_summary_is_by_has_a_name(study, question):
    spec = study.questions[question]
    unnamed = {
        column
        for table in spec["tables"].values()
        for column in table["summary"]["by"]
        if column not in spec["columns"]
    }
    assert not unnamed


def test_headings_and_levels_are_words(study):
    labels = labels_of(study, "dynamics")
    summary = pd.DataFrame({"library": ["odestudy"], "runs": [1], "ok": [1], "growth": [2.0], "growth_low": [None], "growth_high": [None]})  # fmt: skip
    columns = study.questions["dynamics"]["columns"]
    text = summary_markdown(summary, ["library"], ["growth"], columns, labels)
    for word in (columns["library"]["label"], labels.of("library", "odestudy")):
        assert f"| {word} |" in text
    assert "odestudy" not in text


def test_rows_that_are_shares_of_seeds_are_not_called_runs(study):
    summary = pd.DataFrame({"arm": ["mlp"], "runs": [5], "ok": [5], "ended_pct": [40.0], "ended_pct_low": [None], "ended_pct_high": [None]})  # fmt: skip
    info, labels = study.questions["dynamics"]["columns"], labels_of(study, "dynamics")
    runs, seeds = (
        summary_markdown(summary, ["arm"], ["ended_pct"], info, labels, of=of) for of in ("runs", "seeds")
    )
    assert "5 of 5" in runs
    assert "5 of 5" not in seeds
    assert "| seeds |" in seeds


def test_options_keep_their_two_hyphens(study):
    card = pd.DataFrame({"code": ["unless --adjoint True is given"]})
    text = rows_markdown(card, {"code": "code"}, labels_of(study, "images"))
    page = pypandoc.convert_text(text, "html", format="markdown")
    assert "unless --adjoint True is given" in page
