"""A verdict follows from its own row's data, whatever else was run."""

from __future__ import annotations

import pandas as pd
import pytest

from odestudy.analysis.ledger import COLUMNS, ledger
from odestudy.analysis.tables import long_table
from odestudy.publication.unpack import lay_out
from odestudy.runtime.packed import read_packed
from odestudy.study import load_study

QUESTIONS = ("gradients", "timeseries")


@pytest.fixture(scope="module")
def shown(root, tmp_path_factory):
    """The published quick run laid out in a clone of its own."""
    clone = tmp_path_factory.mktemp("clone")
    for name in ("config", "workflow"):
        (clone / name).symlink_to(root / name)
    study = load_study(clone, "shown/quick-cpu")
    lay_out(
        study.results,
        {q: p for q, p in read_packed(root / "results/published/quick-cpu").items() if q in QUESTIONS},
    )
    return study


@pytest.fixture(scope="module")
def tables(shown):
    return {
        name: long_table(shown, name) for name, (question, _) in shown.tables.items() if question in QUESTIONS
    }


def verdicts(study, tables):
    """The ledger of a study whose other tables are empty."""
    found = ledger(study, {name: pd.DataFrame() for name in study.tables} | tables)
    return found[found["question"].isin(QUESTIONS)].set_index("id")


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_alone_has_the_verdicts_that_it_has_beside_others(shown, tables, question):
    whole = verdicts(shown, tables)
    alone = load_study(shown.root, shown.run, {"questions": [question]})
    own = {name: table for name, table in tables.items() if name in alone.tables}
    found = verdicts(alone, own)
    rows = whole.index[(whole["question"] == question) & ~whole["reason"].isin(["question_left_out"])]
    judged = [row for row in rows if found.loc[row, "reason"] != "question_left_out"]
    assert len(judged) > 10
    same = [c for c in COLUMNS if c not in ("id", "beside")]
    pd.testing.assert_frame_equal(whole.loc[judged, same], found.loc[judged, same])


def test_another_tier_finds_the_same_verdicts_for_the_same_data(shown, tables):
    here = verdicts(shown, tables)
    there = load_study(shown.root, "cpu")
    names = [f for f in there.jobs if f in shown.jobs]
    object.__setattr__(there, "jobs_by", shown.jobs_by)
    found = verdicts(there, tables)
    assert len(names) > 5
    same = [c for c in COLUMNS if c not in ("id", "tier", "beside")]
    pd.testing.assert_frame_equal(here[same], found[same])
