"""What a row of the ledger reads, apart from any tier: its sides, its baselines, and a hash of what decides it."""

from __future__ import annotations

from typing import Any

from odestudy.runtime.keys import key_of

ESTIMAND_WORDS = ("is", "short", "unit")


def selections(estimand: dict[str, Any]) -> list[dict[str, Any]]:
    """The selections of an estimand: one, or two where sides are compared."""
    first = estimand.get("where", {})
    return [first, first | estimand["against"]] if "against" in estimand else [first]


def beside(estimand: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    """The estimand of a baseline: the same quantity, or what the entry names instead.

    It is a mean over seeds; of a row that is a median a median. An entry may ask for a median, or for a plain mean, as of a
    share, instead.
    """
    own = {k: entry[k] for k in ("table", "column") if k in entry}
    where = {} if "table" in entry else estimand.get("where", {})
    kept = {k: estimand[k] for k in ("is", "scale", "table", "column") if k in estimand}
    own_median = "median" if estimand["statistic"] == "threshold" else "mean"
    how = "threshold" if entry.get("statistic", own_median) == "median" else "mean"
    if "statistic" in entry:
        kept.pop("scale", None)
    return kept | own | {"statistic": how, "where": where | entry.get("where", {})}


def rule_hash(claim: dict[str, Any]) -> str:
    """A hash of what decides a row: its estimand, its rule and its gate, without words."""
    estimand = {k: v for k, v in claim["estimand"].items() if k not in ESTIMAND_WORDS}
    bounds = _without_reason(claim.get("rule", {}))
    provided = {"provided": _without_reason(claim["provided"])} if "provided" in claim else {}
    return key_of(
        {
            "estimand": estimand,
            "rule": bounds,
            "resolution": claim.get("resolution"),
            "gate": claim.get("trained"),
        }
        | provided
    )


def _without_reason(rule: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in rule.items() if k != "because"}
