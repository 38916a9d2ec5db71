"""What a reader sees of numbers, tables and the first page."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pypandoc
import pytest

from odestudy.analysis.advice import seeds_needed
from odestudy.analysis.labels import Labels
from odestudy.analysis.ledger import ledger
from odestudy.analysis.stats import Estimate, Region, t_estimate
from odestudy.analysis.tables import summary_table
from odestudy.analysis.values import interval, lookup, number
from odestudy.analysis.verdicts import INCONCLUSIVE, Finding
from odestudy.report.figure_markdown import figure_markdown
from odestudy.report.jobs_markdown import tasks_table
from odestudy.report.ledger_markdown import decided_table
from odestudy.report.ledger_words import with_words
from odestudy.report.markdown import summary_markdown
from odestudy.report.overview import overview_table
from odestudy.report.runs import outcomes
from odestudy.study import load_study


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ((0.99997, 0.9996, 1.0003), "0.99997 [0.99960, 1.00030]"),  # enough decimals to differ
        ((39.9022, 18.31, 86.9), "39.9 [18.3, 86.9]"),
        ((1.72, 0.312, 43.2), "1.72 [0.312, 43.2]"),  # over decades each has its own
        ((0.0, -0.545, 0.545), "0.00 [−0.55, 0.55]"),
        ((1.57e-13, 5e-15, 1.2e-10), "1.57·10⁻¹³ [5.00·10⁻¹⁵, 1.20·10⁻¹⁰]"),
        ((5.0, 5.0, 5.0), "5"),
        ((40.0, 0.0, 87.08), "40.0 [0.0, 87.1]"),
        ((1.0, 1.0 - 1e-9, 1.0 + 1e-9), "1"),  # what no one could see is not shown
        ((np.nan, np.nan, np.nan), "n/a"),
    ],
)
def test_an_interval_has_the_same_decimals_and_enough_of_them(numbers, shown):
    assert interval(*numbers) == shown


def test_a_number_in_prose_is_that_of_its_own_row_with_its_own_interval():
    table = pd.DataFrame({"arm": ["a", "b"], "x": [1.0, 2.0], "x_low": [0.5, 1.5], "x_high": [1.5, 2.5]})
    assert lookup(table, "x", {"arm": "b"}, "s") == "2.00 [1.50, 2.50] s"
    assert lookup(table, "x", {"arm": "c"}) == "n/a"


def test_a_figure_is_shown_with_title_caption_and_alternative_text_as_they_are(root, tmp_path):
    study = load_study(root, "smoke")
    name = next(iter(study.figures))
    about = {
        "title": "T_1",
        "caption": "Some <b>caption</b>.",
        "alt": "A curve.",
        "tables": [],
        "animated": False,
    }
    (tmp_path / "figures").mkdir()
    (tmp_path / f"figures/{name}.json").write_text(json.dumps(about))
    page = pypandoc.convert_text(figure_markdown(study, tmp_path, name), "html", format="markdown")
    shown = re.sub(r"\s+", " ", page)
    assert "T_1. Some &lt;b&gt;caption&lt;/b&gt;." in shown
    assert 'alt="A curve."' in shown


def test_a_count_is_shown_without_decimals():
    assert [number(x) for x in (1.0, 12.0, 512, 1e6, 2.5)] == ["1", "12", "512", "1,000,000", "2.50"]


def test_an_interval_ends_where_the_quantity_ends():
    shares = [0.0, 0.0, 100.0, 100.0, 0.0]
    free, kept = t_estimate(shares, Region()), t_estimate(shares, Region(), within=[0, 100])
    assert free.low < 0
    assert free.high > 100
    assert (kept.low, kept.high, kept.value) == (0, 100, free.value)


@pytest.mark.parametrize(
    ("region", "said"),
    [
        (Region(high=1e-6), "at most 10⁻⁶"),
        (Region(low=-0.5), "at least −0.5"),
        (Region(low=3.75, high=2.5e-9), "between 3.75 and 2.5·10⁻⁹"),
    ],
)
def test_a_bound_has_the_digits_that_it_was_given(region, said):
    assert str(region) == said


def summary(**columns):
    table = pd.DataFrame({"arm": "a", "seed": range(5), "status": "ok"} | columns)
    return summary_table(table, {"summary": {"by": ["arm"], "columns": list(columns)}}, {})


def test_shares_of_yes_have_wilsons_interval():
    found = summary(holds=[True, True, True, True, True]).iloc[0]
    assert (found["holds"], found["holds_high"]) == (1.0, 1.0)
    assert found["holds_low"] == pytest.approx(1 / (1 + 1.96**2 / 5), abs=1e-3)


def test_a_single_fit_keeps_the_interval_that_it_brought_and_no_heading_stands_twice():
    fit = pd.DataFrame(
        {"arm": ["a"], "status": ["ok"], "order": [2.0], "order_low": [1.9], "order_high": [2.2]}
    )
    wanted = {"summary": {"by": ["arm"], "columns": ["order"]}}
    found = summary_table(fit, wanted, {})
    assert found.loc[0, ["order", "order_low", "order_high"]].tolist() == [2.0, 1.9, 2.2]
    assert found.columns.is_unique
    several = summary_table(pd.concat([fit, fit.assign(order=2.1)]), wanted, {})
    assert several[["order_low", "order_high"]].isna().all(axis=None)


def test_runs_that_ended_well_without_a_value_are_told():
    found = summary(error=[0.5, 0.6, np.nan, np.nan, 0.7], time=[1.0] * 5)
    assert found["error_n"].tolist() == [3]
    assert "time_n" not in found
    text = summary_markdown(found, ["arm"], ["error", "time"], {}, Labels({}, {}))
    assert "0.600 (3 of 5) |" in text
    assert text.count(" of 5") == 2  # and the runs that ended well


def test_holms_correction_asks_for_more_seeds():
    found = Estimate(4.0, 3.0, 5.0, 5, 0.06, 1.0)
    finding = Finding(INCONCLUSIVE, found, seeds=5)
    asked = {"estimand": {"statistic": "mean"}, "rule": {"high": 4.8}}
    assert seeds_needed(replace(finding, tests=38), asked) > seeds_needed(finding, asked)


@pytest.fixture(scope="module")
def smoke_ledger(root):
    study = load_study(root, "smoke")
    names = {t: pd.DataFrame({"seed": [], "stale": [], "status": []}) for t in study.tables}
    return study, with_words(ledger(study, names), study)


def test_the_first_page_has_a_line_for_each_claim_and_leads_to_every_row(smoke_ledger):
    study, found = smoke_ledger
    text = overview_table(found, study.titles, set(found["id"]))
    assert len(text.splitlines()) == 2 + len(study.titles)
    for row in found["id"]:
        assert f"(#row-{row})" in text
    assert "(#row-" not in overview_table(found, study.titles, set())


@pytest.mark.parametrize(
    ("verdict", "flip", "said"),
    [
        ("supported", "an estimate that is not at most 1; it is 0.5, the bound is 1. A stiff problem", "A stiff problem."),
        ("supported", "an estimate that is not at most 1; it is 0.5, the bound is 1", None),
        ("inconclusive", "8 seeds at this mean and spread, or less spread; it crosses 1", "8 seeds at this mean and spread, or less spread."),
    ],
)  # fmt: skip
def test_the_first_page_tells_what_would_flip_a_verdict(smoke_ledger, verdict, flip, said):
    study, found = smoke_ledger
    one = found[found["id"] == "C04b"].assign(
        verdict=verdict, flip=flip, estimate=1.0, low=1.0, high=1.0, seeds=5
    )
    text = overview_table(one, study.titles, set())
    assert (f"Would flip b: {said}" in text) if said else ("Would flip" not in text.partition("\n")[2])


def test_our_own_forms_are_marked_and_the_estimand_is_told(smoke_ledger):
    study, found = smoke_ledger
    one = found[found["id"] == "C04b"].assign(
        whose="ours", short="exponent of the bytes", estimate=1.0, low=1.0, high=1.0
    )
    assert "[b\\*](#row-C04b)" in overview_table(one, study.titles, {"C04b"})
    text = decided_table(one)
    assert "exponent of the bytes: 1" in text
    assert "(ours, after " in text
    assert "{#row-C04b}" in text


def test_rows_that_two_tables_show_are_counted_once(smoke_ledger):
    study, _ = smoke_ledger
    rows = pd.DataFrame({"status": ["ok", "underflow"], "message": ["", "x"]})
    found = outcomes(study, lambda name: rows)
    sources = {
        (question, frozenset(d["experiments"]), d["rows"])
        for question, d in study.tables.values()
        if "derive" not in d
    }
    assert len(found) == 2 * len(sources) < 2 * len(study.tables)


def test_paper_has_a_line_for_each_task():
    jobs = pd.DataFrame(
        {
            "job": ["a/x", "a/y", "b/z"], "ran": [True, True, False], "ok": [3, 4, np.nan], "rows": [3, 5, np.nan],
            "wall_s": [1.0, 3.0, np.nan], "process_peak_mib": [10.0, 20.0, np.nan],
        }
    )  # fmt: skip
    assert "| a | 2 of 2 | 7 of 8 ok | 4 | 3 | 20 |" in tasks_table(jobs)
    assert "| b | 0 of 1 | not run |  |  |  |" in tasks_table(jobs)
