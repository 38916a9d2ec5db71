"""The ledger: for each claim the estimate, its interval and the verdict, computed from the tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from odestudy.analysis.advice import seeds_needed, what_would_flip
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
    "id", "verdict", "estimate", "low", "high", "unit", "seeds", "runs", "failed", "tier", "question", "kind", "whose", "says",
    "sources", "short", "estimand", "interval", "accepted", "because", "p", "p_holm", "flip", "seeds_needed", "why", "note", "stale", "question_built",
)  # fmt: skip


def ledger(study: Study, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """All claims with their verdicts.

    Args:
        tables: name -> long table, of every table of the study.
    """
    findings = [judge(claim, study, tables) for claim in study.claims]
    findings = _correct(findings)
    return pd.DataFrame(
        [_row(c, f, study) for c, f in zip(study.claims, findings, strict=True)], columns=list(COLUMNS)
    )  # fmt: skip


def judge(claim: dict[str, Any], study: Study, tables: dict[str, pd.DataFrame]) -> Finding:
    """The verdict of one claim before Holm's correction."""
    estimand = claim.get("estimand")
    if estimand is None or estimand["table"] not in study.tables:
        return Finding(
            NO_DATA, why="its question has no experiment yet" if estimand is None else "question left out"
        )
    if study.tier["verdicts"] == "deterministic" and not claim.get("deterministic"):
        return Finding(NOT_TESTABLE, why="this tier decides deterministic claims only")
    if not planned(estimand, study):
        return Finding(NOT_TESTABLE, why="this tier leaves out the runs that it needs")
    table = tables[estimand["table"]]
    wheres = selections(estimand)
    sides = [select(table, where) for where in wheres]
    lacking = [absent(where, table, estimand, study) for where in wheres] if len(table) else []
    if any(lacking):
        return Finding(NOT_TESTABLE, why=f"this tier has no rows with {next(filter(None, lacking))}")
    if any(side.empty for side in sides):
        return Finding(NO_DATA, why="the runs that it needs are missing")
    both = pd.concat(sides)
    seeds = int(both["seed"].nunique())
    failed = int((both["status"].fillna("ok") != "ok").sum()) if "status" in both else 0
    basic = Finding(NO_DATA, None, seeds, len(both), failed, stale=bool(both["stale"].any()))
    if not claim.get("deterministic") and seeds < claim.get("needs_seeds", FEWEST_SEEDS):
        return replace(
            basic, verdict=NOT_TESTABLE, why=f"{seeds} of {claim.get('needs_seeds', FEWEST_SEEDS)} seeds"
        )
    pairs = zip(wheres, sides, strict=True)
    missing = sum(len(expected_seeds(where, estimand, study) - set(side["seed"])) for where, side in pairs)
    if missing and not claim.get("deterministic"):
        return replace(basic, verdict=INCONCLUSIVE, why=f"{missing} seeds have no row")
    if failed and estimand["statistic"] != "rate":
        return _with_failures(basic, sides, claim)
    columns = study.questions[study.tables[estimand["table"]][0]]["columns"]
    estimand = estimand | {k: v for k, v in columns[estimand["column"]].items() if k == "range"}
    try:
        estimate = STATISTICS[estimand["statistic"]](sides, estimand, region_of(claim))
    except ValueError as error:
        return replace(basic, verdict=INCONCLUSIVE, why=str(error))
    return _decide(replace(basic, estimate=estimate), claim)


def _with_failures(finding: Finding, sides: list[pd.DataFrame], claim: dict[str, Any]) -> Finding:
    """Where runs failed there is no mean: such a claim is never supported, and refuted where most seeds contradict it.

    A seed contradicts where a run of it failed or lies outside the accepted region; refuted is where the whole of
    Wilson's interval of the other seeds' share lies below one half, and for deterministic claims where none is left.
    """
    estimand, rows = claim["estimand"], sides[0]
    why = f"{finding.failed} of {finding.runs} runs failed"
    if "rule" not in claim or len(sides) > 1 or estimand["statistic"] not in ("mean", "value"):
        return replace(finding, verdict=INCONCLUSIVE, why=why)
    region, values = region_of(claim), rows[estimand["column"]].astype(float)
    good = is_ok(rows) & (values >= region.low) & (values <= region.high)
    if claim.get("deterministic"):
        verdict = INCONCLUSIVE if good.any() else REFUTED
        return replace(finding, verdict=verdict, why=f"{why}, {int(good.sum())} fulfil it")
    seeds = good.groupby(rows["seed"]).all()
    share = rate_estimate(int(seeds.sum()), len(seeds), Region(low=0.5))
    why = f"{why}; {int(seeds.sum())} of {len(seeds)} seeds fulfil it"
    if share.high < 0.5:
        return replace(finding, verdict=REFUTED, p=share.p_outside, why=why)
    return replace(finding, verdict=INCONCLUSIVE, p=share.p_outside, why=why)


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
            why = f"{finding.verdict} alone (p = {finding.p:.2g}), not after Holm's correction (p = {p:.2g})"
            finding = replace(finding, verdict=INCONCLUSIVE, why=why)
        corrected.append(finding)
    return corrected


def _row(claim: dict[str, Any], finding: Finding, study: Study) -> dict[str, Any]:
    found = finding.estimate
    estimand = claim.get("estimand", {})
    return {
        "id": claim["id"],
        "verdict": finding.verdict,
        "estimate": found.value if found else np.nan,
        "low": found.low if found else np.nan,
        "high": found.high if found else np.nan,
        "unit": estimand.get("unit", ""),
        "seeds": finding.seeds,
        "runs": finding.runs,
        "failed": finding.failed,
        "tier": study.tier_name,
        "question": claim["question"],
        "kind": claim["kind"],
        "whose": claim.get("whose", "source"),
        "says": claim["says"],
        "sources": "; ".join(claim["sources"]),
        "short": estimand.get("short", ""),
        "estimand": estimand.get("is", ""),
        "interval": found.ends if found and found.low != found.high else "",
        "accepted": str(region_of(claim)) if "rule" in claim else "",
        "because": claim.get("rule", {}).get("because", ""),
        "p": finding.p,
        "p_holm": finding.p_holm,
        "flip": what_would_flip(finding, claim),
        "seeds_needed": seeds_needed(finding, claim),
        "why": finding.why,
        "note": claim.get("note", ""),
        "stale": finding.stale,
        "question_built": claim["question"] in study.questions,
    }
