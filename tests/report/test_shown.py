"""What a reader sees of numbers, tables and the first page."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pypandoc
import pytest

from odestudy.analysis.advice import accepted
from odestudy.analysis.headlines import headlines
from odestudy.analysis.labels import Labels
from odestudy.analysis.ledger import ledger
from odestudy.analysis.several_tiers import one_ledger
from odestudy.analysis.tables import summary_table
from odestudy.analysis.values import interval, lookup, number
from odestudy.analysis.verdicts import VERDICTS
from odestudy.report.figure_markdown import figure_markdown
from odestudy.report.figures_shown import FiguresShown
from odestudy.report.jobs_markdown import tasks_table
from odestudy.report.ledger_markdown import SIGNS, decided_table
from odestudy.report.ledger_words import with_words
from odestudy.report.markdown import medians_markdown, summary_markdown
from odestudy.report.overview import overview_table
from odestudy.report.runs import outcomes
from odestudy.statistics.estimates import t_estimate
from odestudy.statistics.region import Region
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
    assert accepted(region) == said


def summary(**columns):
    table = pd.DataFrame({"arm": "a", "seed": range(5), "status": "ok"} | columns)
    return summary_table(table, {"summary": {"by": ["arm"], "columns": list(columns)}}, {})


def test_shares_of_yes_have_the_exact_interval():
    found = summary(holds=[True, True, True, True, True]).iloc[0]
    assert (found["holds"], found["holds_high"]) == (1.0, 1.0)
    assert found["holds_low"] == pytest.approx(0.025 ** (1 / 5))


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


def test_a_median_counts_a_run_that_has_no_number_as_infinite():
    errors = {"a": [0.1, 0.2, 0.3, np.nan, np.nan], "b": [np.nan] * 5}
    rows = [(arm, "ok", value) for arm, values in errors.items() for value in values]
    table = pd.DataFrame([*rows, ("a", "failed", np.nan)], columns=["arm", "status", "error"])
    text = medians_markdown(table, ["arm"], ["error"], {}, Labels({}, {}))
    assert "| a | 5 of 6 | 0.30 (0.20 to ∞) |" in text
    assert "| b | 5 of 5 | ∞ |" in text


def test_a_median_of_what_was_tried_is_one_of_them():
    table = pd.DataFrame({"arm": "a", "status": "ok", "last": [1.0, 10.0, 100.0, 100.0]})
    text = medians_markdown(table, ["arm"], ["last"], {"last": {"until": "first"}}, Labels({}, {}))
    assert "| 10 (1 to 100) |" in text


def test_a_group_without_a_name_is_shown_as_such():
    table = pd.DataFrame({"arm": ["a", "b"], "rate": [0.1, np.nan], "seed": 0, "status": "ok", "error": 0.5})
    found = summary_table(table, {"summary": {"by": ["arm", "rate"], "columns": ["error"]}}, {})
    text = summary_markdown(found, ["arm", "rate"], ["error"], {}, Labels({}, {}))
    assert "| b | n/a |" in text
    assert "nan" not in text


@pytest.fixture(scope="module")
def smoke_ledger(root):
    study = load_study(root, "smoke")
    names = {t: pd.DataFrame({"seed": [], "stale": [], "status": []}) for t in study.tables}
    return study, with_words(one_ledger([ledger(study, names)]), study)


def page(study, rows, **of_all):
    """The first page where every row of the ledger is made to say something."""
    rows = rows.assign(**of_all)
    return overview_table(headlines(study.headlines, rows), rows, study.headlines)


def test_the_first_page_has_a_line_for_each_claim_which_leads_to_its_part(smoke_ledger):
    study, found = smoke_ledger
    text = page(study, found)
    assert len(text.splitlines()) == 2 + len(study.headlines)
    for claim in study.headlines:
        assert f"(#claim-{claim})" in text


@pytest.mark.parametrize("verdict", [v for v in VERDICTS if v != "planned"])
def test_the_first_page_shows_each_verdict_with_its_number_or_why_there_is_none(smoke_ledger, verdict):
    study, found = smoke_ledger
    text = page(
        study, found, verdict=verdict, estimate=0.36, low=0.3, high=0.4, interval="t", p_against=0.001
    )
    judged = [c for c, about in study.headlines.items() if about.planned is None]
    assert text.count(f"[{SIGNS[verdict]} {verdict}]") == len(judged)
    assert text.count("0.360 [0.300, 0.400]") == len(judged)
    assert text.count("a fair experiment is planned") == len(study.headlines) - len(judged)


def test_a_range_over_cases_does_not_look_like_an_interval(smoke_ledger):
    _, found = smoke_ledger
    one = found[found["id"] == "C04b"].assign(
        estimate=2.0, low=1.0, high=3.0, interval="range", ends="over 4 cases", short=""
    )
    assert "2, from 1 to 3 (over 4 cases)" in decided_table(one)


def test_our_own_forms_are_marked_and_estimand_baseline_and_change_of_rule_are_told(smoke_ledger):
    _, found = smoke_ledger
    one = found[found["id"] == "C04b"].assign(
        short="exponent of the bytes",
        estimate=1.0,
        low=1.0,
        high=1.0,
        baselines="a floor: 3",
        changed="moved, after a look",
    )
    one["class"] = "finding"
    text = decided_table(one)
    for said in (
        "exponent of the bytes: 1",
        "(ours, after ",
        "{#row-C04b}",
        "Beside it: a floor: 3",
        "moved, after a look",
    ):
        assert said in text


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
            "job": ["a/x", "a/y", "b/z"], "tier": ["quick", "quick", "cpu"], "ran": [True, True, False], "ok": [3, 4, np.nan], "rows": [3, 5, np.nan],
            "wall_s": [1.0, 3.0, np.nan], "process_peak_mib": [10.0, 20.0, np.nan],
        }
    )  # fmt: skip
    assert "| a | quick | 2 of 2 | 7 of 8 ok | 4 | 3 | 20 |" in tasks_table(jobs)
    assert "| b | cpu | 0 of 1 | not run |  |  |  |" in tasks_table(jobs)


@pytest.mark.parametrize("empty", [True, False])
def test_the_appendix_leaves_out_a_figure_that_has_nothing_to_show(tmp_path, empty):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures/one.json").write_text(
        json.dumps(
            {"empty": empty, "title": "One", "caption": "", "alt": "", "tables": [], "animated": False}
        )
    )
    study = SimpleNamespace(
        settings={"shown": []}, questions={"q": {"figures": ["one"], "tables": []}}, root=tmp_path, run="shown/x",
        figures={"one": ("q", {"title": "One", "tables": []})}, lent={}, jobs_of=lambda question, names: [],
    )  # fmt: skip
    shown = SimpleNamespace(study=study, results=tmp_path, paper=False)
    shown._empty = lambda name: FiguresShown._empty(shown, name)
    assert bool(FiguresShown.rest(shown, "q")) != empty
    assert ("In the appendix" in FiguresShown.figure(shown, "one")) != empty
