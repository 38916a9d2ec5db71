"""The ledger: for each claim the estimate, its interval and the verdict, computed from the tables.

It holds numbers, names and codes only; what a claim says is joined to it where it is shown (report/ledger_words.py).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from odestudy.analysis.advice import seeds_needed
from odestudy.analysis.estimators import STATISTICS
from odestudy.analysis.selecting import absent, expected_seeds, is_ok, planned, select, selections
from odestudy.analysis.stats import FEWEST_SEEDS, Region, holm, rate_estimate
from odestudy.analysis.verdicts import (
    ANSWERED,
    INCONCLUSIVE,
    NO_DATA,
    NOT_TESTABLE,
    REFUTED,
    SUPPORTED,
    Finding,
    region_of,
)
from odestudy.measure.fits import LEVEL
from odestudy.study.load import Study

COLUMNS = (
    "id", "verdict", "estimate", "low", "high", "interval", "seeds", "runs", "failed", "p", "p_holm", "seeds_needed",
    "reason", "detail", "tier", "question", "kind", "stale",
)  # fmt: skip


def ledger(study: Study, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """All claims with their verdicts.

    Args:
        tables: name -> long table, of every table of the study.
    """
    findings = [judge(claim, study, tables) for claim in study.claims]
    findings = _correct(findings)
    findings = [
        replace(f, seeds_needed=seeds_needed(f, c)) for c, f in zip(study.claims, findings, strict=True)
    ]
    return pd.DataFrame(
        [_row(c, f, study) for c, f in zip(study.claims, findings, strict=True)], columns=list(COLUMNS)
    )  # fmt: skip


def judge(claim: dict[str, Any], study: Study, tables: dict[str, pd.DataFrame]) -> Finding:
    """The verdict of one claim before Holm's correction."""
    estimand = claim.get("estimand")
    if estimand is None or estimand["table"] not in study.tables:
        return Finding(NO_DATA, reason="no_experiment" if estimand is None else "question_left_out")
    if study.tier["verdicts"] == "deterministic" and not claim.get("deterministic"):
        return Finding(NOT_TESTABLE, reason="needs_seeds")
    if not planned(estimand, study):
        return Finding(NOT_TESTABLE, reason="runs_left_out")
    table = tables[estimand["table"]]
    wheres = selections(estimand)
    sides = [select(table, where) for where in wheres]
    lacking = [absent(where, table, estimand, study) for where in wheres] if len(table) else []
    if any(lacking):
        return Finding(NOT_TESTABLE, reason="rows_left_out", detail=next(filter(None, lacking)))
    if any(side.empty for side in sides):
        return Finding(NO_DATA, reason="runs_missing")
    both = pd.concat(sides)
    seeds = int(both["seed"].nunique())
    failed = int((both["status"].fillna("ok") != "ok").sum()) if "status" in both else 0
    basic = Finding(NO_DATA, None, seeds, len(both), failed, stale=bool(both["stale"].any()))
    fewest = claim.get("needs_seeds", FEWEST_SEEDS)
    if not claim.get("deterministic") and seeds < fewest:
        return replace(basic, verdict=NOT_TESTABLE, reason="few_seeds", detail=str(fewest))
    pairs = zip(wheres, sides, strict=True)
    missing = sum(len(expected_seeds(where, estimand, study) - set(side["seed"])) for where, side in pairs)
    if missing and not claim.get("deterministic"):
        return replace(basic, verdict=INCONCLUSIVE, reason="seeds_missing", detail=str(missing))
    if failed and estimand["statistic"] != "rate":
        return _with_failures(basic, sides, claim)
    columns = study.questions[study.tables[estimand["table"]][0]]["columns"]
    estimand = estimand | {k: v for k, v in columns[estimand["column"]].items() if k == "range"}
    try:
        estimate = STATISTICS[estimand["statistic"]](sides, estimand, region_of(claim))
    except ValueError as error:
        return replace(basic, verdict=INCONCLUSIVE, reason="no_estimate", detail=str(error))
    return _decide(replace(basic, estimate=estimate), claim)


def _with_failures(finding: Finding, sides: list[pd.DataFrame], claim: dict[str, Any]) -> Finding:
    """Where runs failed there is no mean: such a claim is never supported, and refuted where most seeds contradict it.

    A seed contradicts where a run of it failed or lies outside the accepted region; refuted is where the whole of
    Wilson's interval of the other seeds' share lies below one half, and for deterministic claims where none is left.
    """
    estimand, rows = claim["estimand"], sides[0]
    if "rule" not in claim or len(sides) > 1 or estimand["statistic"] not in ("mean", "value"):
        return replace(finding, verdict=INCONCLUSIVE, reason="failed")
    region, values = region_of(claim), rows[estimand["column"]].astype(float)
    good = is_ok(rows) & (values >= region.low) & (values <= region.high)
    if claim.get("deterministic"):
        verdict = INCONCLUSIVE if good.any() else REFUTED
        return replace(finding, verdict=verdict, reason="failed_runs", detail=str(int(good.sum())))
    seeds = good.groupby(rows["seed"]).all()
    share = rate_estimate(int(seeds.sum()), len(seeds), Region(low=0.5))
    verdict = REFUTED if share.high < 0.5 else INCONCLUSIVE
    detail = f"{int(seeds.sum())} of {len(seeds)}"
    return replace(finding, verdict=verdict, p=share.p_outside, reason="failed_seeds", detail=detail)


def _decide(finding: Finding, claim: dict[str, Any]) -> Finding:
    assert finding.estimate is not None, "judged without an estimate"
    if claim["kind"] == "question" and "rule" not in claim:
        return replace(finding, verdict=ANSWERED)
    region, found = region_of(claim), finding.estimate
    if region.low <= found.low and found.high <= region.high:
        return replace(finding, verdict=SUPPORTED, p=found.p_inside)
    if found.high < region.low or found.low > region.high:
        return replace(finding, verdict=REFUTED, p=found.p_outside)
    return replace(finding, verdict=INCONCLUSIVE, p=min(found.p_inside, found.p_outside))


def _correct(findings: list[Finding]) -> list[Finding]:
    """Holm's correction over all decided claims; a verdict that does not survive becomes inconclusive."""
    adjusted = holm([f.p if f.verdict in (SUPPORTED, REFUTED, INCONCLUSIVE) else np.nan for f in findings])
    tests = int(np.isfinite(adjusted).sum())
    corrected = []
    for finding, p in zip(findings, adjusted, strict=True):
        finding = replace(finding, p_holm=float(p), tests=max(1, tests))
        if finding.verdict in (SUPPORTED, REFUTED) and p >= 1 - LEVEL:
            finding = replace(finding, verdict=INCONCLUSIVE, reason="holm", detail=finding.verdict)
        corrected.append(finding)
    return corrected


def _row(claim: dict[str, Any], finding: Finding, study: Study) -> dict[str, Any]:
    found = finding.estimate
    names = ("verdict", "seeds", "runs", "failed", "p", "p_holm", "seeds_needed", "reason", "detail", "stale")
    return {name: getattr(finding, name) for name in names} | {
        "id": claim["id"],
        "estimate": found.value if found else np.nan,
        "low": found.low if found else np.nan,
        "high": found.high if found else np.nan,
        "interval": found.ends if found else "",
        "tier": study.tier_name,
        "question": claim["question"],
        "kind": claim["kind"],
    }
