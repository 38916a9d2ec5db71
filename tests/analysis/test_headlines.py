"""One verdict a claim, and one ledger from several tiers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from odestudy.analysis.headlines import headlines
from odestudy.analysis.several_tiers import one_ledger
from odestudy.study.claims import Headline

WORDS = {"title": "what it says", "meant": "this one", "fair": "since so", "change": "other nets"}


def row(name, verdict, against=np.nan, tier="quick", reason=""):
    return {
        "id": name, "verdict": verdict, "p_for": 0.01, "p_against": against, "reason": reason, "detail": "", "tier": tier,
        "class": "finding",
    }  # fmt: skip


def verdict_of(rows, headline, **more):
    about = Headline(**WORDS, headline=headline, **more)
    return headlines({"C04": about}, pd.DataFrame(rows)).iloc[0]


@pytest.mark.parametrize("verdict", ["supported", "refuted", "inconclusive", "open", "answered", "no data"])
def test_one_row_gives_the_claim_its_verdict(verdict):
    found = verdict_of([row("C04a", verdict)], "C04a")
    assert (found["verdict"], found["row"]) == (verdict, "C04a")


@pytest.mark.parametrize(
    ("verdicts", "against", "verdict"),
    [
        (["supported", "supported"], [0.9, 0.9], "supported"),
        (["supported", "inconclusive"], [0.9, 0.4], "inconclusive"),
        (["supported", "refuted"], [0.9, 0.01], "refuted"),
        (["supported", "refuted"], [0.9, 0.04], "inconclusive"),
        (["refuted", "refuted"], [0.01, 0.04], "refuted"),
        (["refuted", "refuted"], [0.04, 0.04], "inconclusive"),
        (["answered", "answered"], [np.nan, np.nan], "answered"),
        (["answered", "open"], [np.nan, np.nan], "open"),
        (["supported", "refuted"], [0.9, np.nan], "refuted"),
        (["refuted", "inconclusive"], [0.03, np.nan], "inconclusive"),
        (["supported", "no data"], [0.9, np.nan], "no data"),
        (["refuted", "no data"], [0.001, np.nan], "refuted"),
    ],
)
def test_a_conjunction_holds_where_all_do_and_falls_with_one_after_holm(verdicts, against, verdict):
    rows = [row(f"C04{c}", v, p) for c, v, p in zip("ab", verdicts, against, strict=True)]
    assert verdict_of(rows, ["C04a", "C04b"])["verdict"] == verdict


def test_a_claim_whose_fair_experiment_is_planned_has_no_verdict_whatever_its_rows_say():
    found = verdict_of([row("C04a", "refuted")], "C04a", planned="an experiment to come")
    assert (found["verdict"], found["reason"]) == ("planned", "experiment_planned")


def test_the_refuted_row_decides_a_refuted_conjunction():
    rows = [row("C04a", "supported", 0.9), row("C04b", "refuted", 1e-3)]
    assert verdict_of(rows, ["C04a", "C04b"])["row"] == "C04b"


def test_each_row_is_judged_by_the_largest_tier_that_finished_its_seeds():
    quick = pd.DataFrame([row("C04a", "supported"), row("C04b", "supported"), row("C04c", "supported")])
    cpu = pd.DataFrame(
        [
            row("C04a", "refuted", tier="cpu"),
            row("C04b", "inconclusive", tier="cpu", reason="seeds_missing"),
            row("C04c", "not testable at this tier", tier="cpu"),
            row("C04d", "no data", tier="cpu"),
        ]
    )
    found = one_ledger([quick, cpu]).set_index("id")
    assert found["tier"].to_dict() == {"C04a": "cpu", "C04b": "quick", "C04c": "quick", "C04d": "cpu"}
    assert found["smaller"].to_dict() == {"C04a": "differ", "C04b": "", "C04c": "", "C04d": ""}
    assert one_ledger([quick, quick]).set_index("id")["smaller"].eq("agree").all()
