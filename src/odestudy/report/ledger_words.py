"""The ledger with its words: what each claim says joins its numbers where they are shown, and nowhere before."""

from __future__ import annotations

from typing import Any

import pandas as pd

from odestudy.analysis.advice import what_would_flip
from odestudy.analysis.stats import Estimate
from odestudy.analysis.verdicts import Finding, region_of
from odestudy.study.load import Study


def with_words(ledger: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The rows of the claims that the study still has, each with what configuration says of it."""
    ledger = ledger.fillna({"reason": "", "detail": "", "interval": ""})
    claims = {claim["id"]: claim for claim in study.claims}
    ledger = ledger[ledger["id"].isin(claims)].reset_index(drop=True)
    ledger["interval"] = ledger["interval"].where(ledger["low"] != ledger["high"], "")
    words = [_words(claims[row["id"]], row) for _, row in ledger.iterrows()]
    return ledger.join(pd.DataFrame(words, index=ledger.index))


def _words(claim: dict[str, Any], row: pd.Series) -> dict[str, str]:
    estimand, finding = claim.get("estimand", {}), _finding(row)
    return {
        "says": claim["says"],
        "whose": claim.get("whose", "source"),
        "sources": "; ".join(claim["sources"]),
        "unit": estimand.get("unit", ""),
        "short": estimand.get("short", ""),
        "estimand": estimand.get("is", ""),
        "accepted": str(region_of(claim)) if "rule" in claim else "",
        "because": claim.get("rule", {}).get("because", ""),
        "flip": what_would_flip(finding, claim),
        "why": finding.why,
        "note": claim.get("note", ""),
    }


def _finding(row: pd.Series) -> Finding:
    """What the row of a ledger tells of how its verdict came about."""
    names = ("verdict", "seeds", "runs", "failed", "p", "p_holm", "seeds_needed", "reason", "detail")
    value, low, high = (row[name] for name in ("estimate", "low", "high"))
    estimate = None if pd.isna(value) else Estimate(value, low, high, row["seeds"])
    return Finding(**{name: row[name] for name in names}, estimate=estimate)
