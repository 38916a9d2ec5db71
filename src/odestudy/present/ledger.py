"""The ledger: for each claim the estimate, its interval and the verdict, computed from the tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from odestudy.measure.fits import LEVEL, PowerFit, log_slope, power_fit
from odestudy.plan.study import Study
from odestudy.present.stats import (
    FEWEST_SEEDS,
    Estimate,
    Region,
    holm,
    rate_estimate,
    t_estimate,
)

SUPPORTED, REFUTED, INCONCLUSIVE, ANSWERED = "supported", "refuted", "inconclusive", "answered"
NOT_TESTABLE, NO_DATA = "not testable at this tier", "no data"
VERDICTS = (SUPPORTED, REFUTED, INCONCLUSIVE, ANSWERED, NOT_TESTABLE, NO_DATA)
COLUMNS = (
    "id", "verdict", "estimate", "low", "high", "unit", "seeds", "runs", "failed", "tier", "question", "kind", "says",
    "sources", "estimand", "accepted", "because", "p", "p_holm", "flip", "why", "note", "stale", "question_built",
)  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One row of the ledger before and after Holm's correction."""

    verdict: str
    estimate: Estimate | None = None
    seeds: int = 0
    runs: int = 0
    failed: int = 0
    p: float = np.nan
    p_holm: float = np.nan
    why: str = ""
    stale: bool = False


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
    if not _planned(estimand, study):
        return Finding(NOT_TESTABLE, why="this tier leaves out the runs that it needs")
    table = tables[estimand["table"]]
    wheres = _wheres(estimand)
    sides = [select(table, where) for where in wheres]
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
    missing = sum(len(_expected_seeds(where, estimand, study) - set(side["seed"])) for where, side in pairs)
    if missing and not claim.get("deterministic"):
        return replace(basic, verdict=INCONCLUSIVE, why=f"{missing} seeds have no row")
    if failed and estimand["statistic"] != "rate":
        return replace(basic, verdict=INCONCLUSIVE, why=f"{failed} of {len(both)} runs failed")
    try:
        estimate = STATISTICS[estimand["statistic"]](sides, estimand, _region(claim))
    except ValueError as error:
        return replace(basic, verdict=INCONCLUSIVE, why=str(error))
    return _decide(replace(basic, estimate=estimate), claim)


def _decide(finding: Finding, claim: dict[str, Any]) -> Finding:
    assert finding.estimate is not None, "judged without an estimate"
    if claim["kind"] == "question" and "rule" not in claim:
        return replace(finding, verdict=ANSWERED)
    region, found = _region(claim), finding.estimate
    if region.low <= found.low and found.high <= region.high:
        return replace(finding, verdict=SUPPORTED, p=found.p_inside)
    if found.high < region.low or found.low > region.high:
        return replace(finding, verdict=REFUTED, p=found.p_outside)
    return replace(finding, verdict=INCONCLUSIVE, p=min(found.p_inside, found.p_outside))


def _correct(findings: list[Finding]) -> list[Finding]:
    """Holm's correction over all decided claims; a verdict that does not survive becomes inconclusive."""
    adjusted = holm([f.p if f.verdict in (SUPPORTED, REFUTED, INCONCLUSIVE) else np.nan for f in findings])
    corrected = []
    for finding, p in zip(findings, adjusted, strict=True):
        finding = replace(finding, p_holm=float(p))
        if finding.verdict in (SUPPORTED, REFUTED) and p >= 1 - LEVEL:
            why = f"{finding.verdict} alone (p = {finding.p:.2g}), not after Holm's correction (p = {p:.2g})"
            finding = replace(finding, verdict=INCONCLUSIVE, why=why)
        corrected.append(finding)
    return corrected


def _region(claim: dict[str, Any]) -> Region:
    rule = claim.get("rule", {})
    return Region(rule.get("low", -np.inf), rule.get("high", np.inf))


def _planned(estimand: dict[str, Any], study: Study) -> bool:
    """Whether this tier's jobs contain all that both sides of an estimand select by axes."""
    question, definition = study.tables[estimand["table"]]
    jobs = [j for e in definition["experiments"] for j in study.jobs_by.get((question, e), [])]
    for where in _wheres(estimand):
        for combination in _combinations(where):
            if not any(_job_fits(job.spec, combination) for job in jobs):
                return False
    return True


def _wheres(estimand: dict[str, Any]) -> list[dict[str, Any]]:
    """The selections of an estimand: one, or two where sides are compared."""
    first = estimand.get("where", {})
    return [first, first | estimand["against"]] if "against" in estimand else [first]


def _expected_seeds(where: dict[str, Any], estimand: dict[str, Any], study: Study) -> set[int]:
    """The seeds of the jobs that a selection takes rows from: each must be there, failed or not."""
    question, definition = study.tables[estimand["table"]]
    jobs = study.jobs_of(question, definition["experiments"])
    combinations = _combinations(where)
    return {s for j in jobs if any(_job_fits(j.spec, c) for c in combinations) for s in j.spec["seeds"]}


def _combinations(where: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{}]
    for column, wanted in where.items():
        found = [f | {column: w} for f in found for w in (wanted if isinstance(wanted, list) else [wanted])]
    return found


def _job_fits(spec: dict[str, Any], where: dict[str, Any]) -> bool:
    for column, wanted in where.items():
        value = spec.get(column)
        value = value["name"] if isinstance(value, dict) else value
        if column in spec and not isinstance(value, list) and value != wanted:
            return False
    return True


def select(table: pd.DataFrame, where: dict[str, Any]) -> pd.DataFrame:
    """Rows by column: a value, a list of values, or first / last of a numeric column within the selection."""
    for column, wanted in sorted(where.items(), key=lambda item: item[1] in ("first", "last")):
        if column not in table:
            return table.iloc[:0]
        if wanted in ("first", "last") and pd.api.types.is_numeric_dtype(table[column]):
            end = table[column].min() if wanted == "first" else table[column].max()
            table = table[table[column] == end]
        else:
            table = table[table[column].isin(wanted if isinstance(wanted, list) else [wanted])]
    return table


def _per_seed(rows: pd.DataFrame, estimand: dict[str, Any], log: bool) -> pd.Series:
    """One value a seed; a seed without a value is a ValueError, never left out."""
    if estimand["column"] not in rows:
        raise ValueError(f"no run has a value of {estimand['column']}")
    values = rows[estimand["column"]].astype(float)
    if "denominator" in estimand:
        values = values / rows[estimand["denominator"]].astype(float)
    if not np.isfinite(values).all():
        raise ValueError(
            f"{int((~np.isfinite(values)).sum())} of {len(values)} values are missing or not finite"
        )
    if log:
        if (values <= 0).any():
            raise ValueError("a value is not positive, so no ratio can be formed")
        return np.exp(np.log(values).groupby(rows["seed"]).mean())
    return values.groupby(rows["seed"]).mean()


def _mean(sides: list[pd.DataFrame], estimand: dict[str, Any], region: Region) -> Estimate:
    log = estimand.get("scale") == "log"
    return t_estimate(_per_seed(sides[0], estimand, log).tolist(), region, log=log)


def _paired(sides: list[pd.DataFrame], estimand: dict[str, Any], log: bool) -> tuple[np.ndarray, np.ndarray]:
    one, other = (_per_seed(side, estimand, log) for side in sides)
    if set(one.index) != set(other.index):
        raise ValueError("the two sides have different seeds")
    return one.to_numpy(), other.loc[one.index].to_numpy()


def _ratio(sides: list[pd.DataFrame], estimand: dict[str, Any], region: Region) -> Estimate:
    if "denominator" in estimand:
        return t_estimate(_per_seed(sides[0], estimand, True).tolist(), region, log=True)
    one, other = _paired(sides, estimand, True)
    return t_estimate((one / other).tolist(), region, log=True)


def _difference(sides: list[pd.DataFrame], estimand: dict[str, Any], region: Region) -> Estimate:
    one, other = _paired(sides, estimand, False)
    return t_estimate((one - other).tolist(), region)


def _rate(sides: list[pd.DataFrame], estimand: dict[str, Any], region: Region) -> Estimate:
    rows = sides[0]
    good = rows["status"] == "ok"
    if "success" in estimand:
        if estimand["column"] not in rows:
            raise ValueError(f"no run has a value of {estimand['column']}")
        good &= rows[estimand["column"]].astype(float) <= estimand["success"]
    return rate_estimate(int(good.sum()), len(rows), region)


def _column(rows: pd.DataFrame, column: str) -> pd.Series:
    if column not in rows:
        raise ValueError(f"no run has a value of {column}")
    return rows[column].astype(float)


def _value(sides: list[pd.DataFrame], estimand: dict[str, Any], region: Region) -> Estimate:
    """A deterministic value; several rows give their mean as value and their range as interval."""
    values = _column(sides[0], estimand["column"])
    if not np.isfinite(values).all():
        raise ValueError(
            f"{int((~np.isfinite(values)).sum())} of {len(values)} values are missing or not finite"
        )
    log = estimand.get("scale") == "log" and bool((values > 0).all())
    mean = np.exp(np.log(values).mean()) if log else values.mean()
    return Estimate(float(mean), float(values.min()), float(values.max()), 1)


def _ratio_value(sides: list[pd.DataFrame], estimand: dict[str, Any], region: Region) -> Estimate:
    one, other = (_column(side, estimand["column"]) for side in sides)
    if one.nunique() != 1 or other.nunique() != 1:
        raise ValueError("a deterministic ratio needs one value on each side")
    ratio = float(one.iloc[0] / other.iloc[0])
    return Estimate(ratio, ratio, ratio, 1)


def _fits(sides: list[pd.DataFrame], estimand: dict[str, Any]) -> list[PowerFit]:
    for column in (estimand["over"], estimand["column"]):
        _column(sides[0], column)
    rows = sides[0].dropna(subset=[estimand["over"], estimand["column"]])
    return [
        power_fit(r[estimand["over"]].tolist(), r[estimand["column"]].tolist())
        for _, r in rows.groupby("seed")
    ]


def _exponent(sides: list[pd.DataFrame], estimand: dict[str, Any], region: Region) -> Estimate:
    """One exponent a seed; several give their mean and interval, a single one that of its fit."""
    fits = _fits(sides, estimand)
    if len(fits) == 1:
        return Estimate(fits[0].alpha, fits[0].low, fits[0].high, 1)
    return _spread([fit.alpha for fit in fits], region)


def _growth_share(sides: list[pd.DataFrame], estimand: dict[str, Any], region: Region) -> Estimate:
    return _spread([fit.share for fit in _fits(sides, estimand)], region)


def _slope(sides: list[pd.DataFrame], estimand: dict[str, Any], region: Region) -> Estimate:
    """One slope a job and seed; several give their mean and interval, a single one that of its regression."""
    fits = [
        log_slope(r[estimand["over"]].tolist(), r[estimand["column"]].tolist())
        for _, r in sides[0].groupby(["job", "seed"])
    ]
    if len(fits) == 1:
        return Estimate(fits[0].value, fits[0].low, fits[0].high, fits[0].n)
    return _spread([fit.value for fit in fits], region)


def _spread(values: list[float], region: Region) -> Estimate:
    if not values:
        raise ValueError("no rows to fit")
    if len(values) == 1:
        return Estimate(values[0], values[0], values[0], 1)
    return t_estimate(values, region)


STATISTICS = {
    "mean": _mean,
    "ratio": _ratio,
    "difference": _difference,
    "rate": _rate,
    "value": _value,
    "ratio_value": _ratio_value,
    "exponent": _exponent,
    "growth_share": _growth_share,
    "slope": _slope,
}


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
        "says": claim["says"],
        "sources": "; ".join(claim["sources"]),
        "estimand": estimand.get("is", ""),
        "accepted": str(_region(claim)) if "rule" in claim else "",
        "because": claim.get("rule", {}).get("because", ""),
        "p": finding.p,
        "p_holm": finding.p_holm,
        "flip": what_would_flip(finding, claim),
        "why": finding.why,
        "note": claim.get("note", ""),
        "stale": finding.stale,
        "question_built": claim["question"] in study.questions,
    }


def what_would_flip(finding: Finding, claim: dict[str, Any]) -> str:
    """What data would change the verdict, in one sentence."""
    found, unit = finding.estimate, claim.get("estimand", {}).get("unit", "")
    region = str(_region(claim))
    tail = f" {unit}" if unit and unit != "1" else ""
    if finding.verdict == SUPPORTED and found:
        return f"an interval that leaves the accepted region, {region}{tail}"
    if finding.verdict == REFUTED and found:
        return f"an interval that reaches the accepted region, {region}{tail}"
    if finding.verdict == INCONCLUSIVE:
        if finding.failed:
            return f"runs that end ok ({finding.why})"
        if finding.why:
            return f"more seeds or less spread; {finding.why}"
        return f"more seeds or less spread; the interval crosses the edge of what is accepted, {region}{tail}"
    if finding.verdict == ANSWERED:
        return "nothing; it is a question, and the numbers are the answer"
    return f"data ({finding.why})"
