"""The ledger with its words: what each claim says joins its numbers where they are shown, and nowhere before."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from odestudy.analysis.advice import accepted, what_would_change
from odestudy.analysis.values import number
from odestudy.analysis.verdicts import Finding
from odestudy.statistics.estimates import BINOMIAL, EXACT, GRID, ORDER, RANGE, STUDENT, Estimate
from odestudy.statistics.region import region_of
from odestudy.study.load import Study


def with_words(ledger: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The rows of the claims that the study still has, each with what configuration says of it."""
    ledger = ledger.fillna({"reason": "", "detail": "", "interval": "", "beside": "", "smaller": ""})
    claims = {claim["id"]: claim for claim in study.claims}
    ledger = ledger[ledger["id"].isin(claims)].reset_index(drop=True)
    words = [_words(claims[row["id"]], row) for _, row in ledger.iterrows()]
    return ledger.join(pd.DataFrame(words, index=ledger.index))


def _words(claim: dict[str, Any], row: pd.Series) -> dict[str, str]:
    estimand, finding = claim.get("estimand", {}), _finding(row)
    return {
        "says": claim["says"],
        "sources": "; ".join(claim["sources"]),
        "unit": estimand.get("unit", ""),
        "short": estimand.get("short", ""),
        "estimand": estimand.get("is", ""),
        "accepted": accepted(region_of(claim)) if "rule" in claim else "",
        "because": claim.get("rule", {}).get("because", ""),
        "change": what_would_change(finding, claim),
        "why": finding.why,
        "note": claim.get("note", ""),
        "ends": ends_of(row, claim),
        "baselines": _baselines(claim, row),
        "changed": _changed(claim),
    }


def ends_of(row: pd.Series, claim: dict[str, Any]) -> str:
    """What the ends of an interval are; the level is that of the one that decides."""
    level = f"{100 * region_of(claim).level:.0f} %"
    return {
        EXACT: "",
        RANGE: f"over {row['cases']} cases",
        STUDENT: f"{level}, {row['cases']} seeds",
        BINOMIAL: f"{level}, exact, {row['cases']} seeds",
        ORDER: f"{level}, median of {row['cases']} seeds",
        GRID: f"{level}, median of {row['cases']} seeds, up to the first that was not reached",
    }[row["interval"]]


def _baselines(claim: dict[str, Any], row: pd.Series) -> str:
    values = json.loads(row["beside"]) if row["beside"] else []
    unit = claim.get("estimand", {}).get("unit", "1")
    tail = "" if unit == "1" else f" {unit}"
    return "; ".join(
        f"{entry['is']}: {number(np.nan if value is None else value)}{tail}"
        + (f" ({entry['source']})" if "source" in entry else "")
        for entry, value in zip(claim.get("beside", ()), values, strict=False)
    )


def _changed(claim: dict[str, Any]) -> str:
    """Where the rule was moved after data were seen."""
    moved = claim.get("changed")
    return f"{moved['what'].rstrip('.')}, after {moved['after_seeing']}" if moved else ""


def _finding(row: pd.Series) -> Finding:
    """What the row of a ledger tells of how its verdict came about."""
    names = ("verdict", "seeds", "runs", "failed", "seeds_needed", "reason", "detail")
    value, low, high = (row[name] for name in ("estimate", "low", "high"))
    estimate = None if pd.isna(value) else Estimate(value, low, high, row["seeds"], ends=row["interval"])
    return Finding(**{name: row[name] for name in names}, estimate=estimate)
