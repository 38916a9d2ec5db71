"""The ledger: for each row the estimate, its interval and the verdict, computed from the tables.

No verdict depends on another row, or on what else was run. The ledger holds numbers, names and codes only; what a row
says is joined to it where it is shown (report/ledger_words.py).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from odestudy.analysis.estimators import STATISTICS, is_log
from odestudy.analysis.power import seeds_over_budget
from odestudy.analysis.reachable import outcome_out_of_reach
from odestudy.analysis.selecting import absent, is_ok, select
from odestudy.analysis.training_gate import still_learning
from odestudy.analysis.verdicts import (
    ANSWERED,
    INCONCLUSIVE,
    NO_DATA,
    NOT_TESTABLE,
    OPEN,
    REFUTED,
    SUPPORTED,
    Finding,
)
from odestudy.statistics.estimates import middle_of, rate_estimate
from odestudy.statistics.power import seeds_to_decide
from odestudy.statistics.region import FEWEST_SEEDS, Region, region_of
from odestudy.study.estimands import beside, rule_hash, selections
from odestudy.study.jobs import Job
from odestudy.study.load import Study
from odestudy.study.planned import expected_jobs, planned

COLUMNS = (
    "id", "verdict", "estimate", "low", "high", "interval", "cases", "seeds", "runs", "failed", "p_for", "p_against",
    "spread", "seeds_needed", "beside", "reason", "detail", "tier", "question", "kind", "class", "stale", "rule_changed",
)  # fmt: skip
Tables = Mapping[str, pd.DataFrame]


def ledger(study: Study, tables: Tables, rules: Mapping[str, Collection[str]] | None = None) -> pd.DataFrame:
    """All rows with their verdicts.

    Args:
        tables: name -> long table, of every table of the study.
        rules: row -> the hashes of the rules that its jobs were run to be judged by.
    """
    rows = []
    for claim in study.claims:
        finding = judge(claim, study, tables, (rules or {}).get(claim["id"], ()))
        rows.append(_row(claim, finding, study))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def judge(claim: dict[str, Any], study: Study, tables: Tables, rules: Collection[str] = ()) -> Finding:
    """The verdict on one row.

    Args:
        rules: the hashes of the rules that its jobs were run to be judged by; none where they do not say.
    """
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
    finding = _counted(sides, claim, rules)
    if (early := _too_few(finding, wheres, sides, claim, study)) is not None:
        return early
    if finding.failed and estimand["statistic"] != "rate":
        return _with_failures(finding, sides, claim)
    estimand = in_full(estimand, study)
    try:
        estimate = STATISTICS[estimand["statistic"]](sides, estimand, region_of(claim))
    except ValueError as error:
        return replace(finding, verdict=_undecided(claim), reason="no_estimate", detail=str(error))
    finding = replace(finding, estimate=estimate, beside=_beside(claim, study, tables))
    if (worse := still_learning(claim, tables)) is not None:
        return replace(finding, verdict=OPEN, reason="still_learning", detail=worse)
    if (short := _not_provided(claim, sides, study)) is not None:
        return replace(finding, verdict=OPEN, reason="not_provided", detail=short)
    if finding.rule_changed and not claim.get("deterministic"):
        return replace(finding, verdict=OPEN, reason="rule_changed")
    if (needed := seeds_over_budget(claim, study)) is not None:
        return replace(finding, verdict=OPEN, reason="over_budget", detail=f"{needed:.0f}")
    return _decide(finding, claim)


def _not_provided(claim: dict[str, Any], sides: list[pd.DataFrame], study: Study) -> str | None:
    """What of the runs does not hold, without which their number tells nothing, in words; None where all holds."""
    if "provided" not in claim:
        return None
    column, least = claim["provided"]["column"], claim["provided"]["at_least"]
    mean = float(pd.concat(sides)[column].mean())
    about = study.questions[claim["question"]]["columns"].get(column, {})
    label, unit = about.get("label", column), f" {about['unit']}" if "unit" in about else ""
    return None if mean >= least else f"{label}: {mean:.2g}{unit} in the mean, {least:g} are asked for"


def in_full(estimand: dict[str, Any], study: Study) -> dict[str, Any]:
    """An estimand with what the definitions of its columns say of the measurement."""
    columns = study.questions[study.tables[estimand["table"]][0]]["columns"]
    about, below = (columns.get(estimand.get(name), {}) for name in ("column", "denominator"))
    found = estimand | {k: about[k] for k in ("range", "quantum", "factor", "until") if k in about}
    return found | {"quantum_below": below["quantum"]} if "quantum" in below else found


def _counted(sides: list[pd.DataFrame], claim: dict[str, Any], rules: Collection[str]) -> Finding:
    both = pd.concat(sides)
    return Finding(
        NO_DATA,
        seeds=int(both["seed"].nunique()),
        runs=len(both),
        failed=int((~is_ok(both)).sum()),
        stale=bool(both["stale"].any()),
        rule_changed=any(rule != rule_hash(claim) for rule in rules),
    )


def _too_few(
    finding: Finding,
    wheres: list[dict[str, Any]],
    sides: list[pd.DataFrame],
    claim: dict[str, Any],
    study: Study,
) -> Finding | None:
    """The row as open, as seeds are missing, or as not testable with so few; None where there are as many as it needs."""
    if claim.get("deterministic"):
        return None
    not_run, lost = _missing(wheres, sides, claim["estimand"], study)
    if not_run:
        return replace(finding, verdict=OPEN, reason="seeds_missing", detail=str(len(not_run)))
    if lost:
        return replace(finding, verdict=_undecided(claim), reason="seeds_lost", detail=str(len(lost)))
    if finding.seeds < FEWEST_SEEDS:
        return replace(finding, verdict=NOT_TESTABLE, reason="fewer_seeds", detail=str(FEWEST_SEEDS))
    if never := outcome_out_of_reach(claim, study, finding.seeds):
        return replace(finding, verdict=NOT_TESTABLE, reason="few_seeds", detail=never)
    return None


def _missing(
    wheres: list[dict[str, Any]], sides: list[pd.DataFrame], estimand: dict[str, Any], study: Study
) -> tuple[set[int], set[int]]:
    """The seeds of which a side has no row: those that have not run, and those that have, but failed.

    A row that is made of several runs waits for each of them.
    """
    _, definition = study.tables[estimand["table"]]
    others = expected_jobs({}, estimand, study) if "derive" in definition else []
    awaited = {seed for job in others if not _ran(job, study) for seed in job.spec["seeds"]}
    not_run: set[int] = set()
    lost: set[int] = set()
    for where, side in zip(wheres, sides, strict=True):
        for job in expected_jobs(where, estimand, study):
            missing = set(job.spec["seeds"]) - set(side["seed"])
            (lost if _ran(job, study) else not_run).update(missing)
    return not_run | lost & awaited, lost - not_run - awaited


def _ran(job: Job, study: Study) -> bool:
    return job.metrics(study.results).is_file()


def _undecided(claim: dict[str, Any]) -> str:
    return OPEN if claim["kind"] == "question" else INCONCLUSIVE


def _with_failures(finding: Finding, sides: list[pd.DataFrame], claim: dict[str, Any]) -> Finding:
    """Where runs failed there is no mean: such a claim is never supported, and refuted where most seeds contradict it.

    A seed contradicts where a run of it failed or lies outside the accepted region; refuted is where the exact upper
    bound of the other seeds' share, one-sided at 5 %, lies below one half, and for deterministic rows where none is left.
    """
    estimand, rows = claim["estimand"], sides[0]
    if "rule" not in claim or len(sides) > 1 or estimand["statistic"] not in ("mean", "value"):
        return replace(finding, verdict=_undecided(claim), reason="failed")
    region, values = region_of(claim), rows[estimand["column"]].astype(float)
    good = is_ok(rows) & (values >= region.low) & (values <= region.high)
    if claim.get("deterministic"):
        verdict = INCONCLUSIVE if good.any() else REFUTED
        return replace(finding, verdict=verdict, reason="failed_runs", detail=str(int(good.sum())))
    seeds = good.groupby(rows["seed"]).all()
    share = rate_estimate(int(seeds.sum()), len(seeds), Region(low=0.5))
    verdict = REFUTED if share.high < 0.5 else INCONCLUSIVE
    detail = f"{int(seeds.sum())} of {len(seeds)}"
    return replace(finding, verdict=verdict, reason="failed_seeds", detail=detail)


def _decide(finding: Finding, claim: dict[str, Any]) -> Finding:
    """From the interval alone: inside the region, outside of it, or fine enough for an answer."""
    found = finding.estimate
    assert found is not None, "judged without an estimate"
    if claim["kind"] == "question":
        return _answer(finding, claim)
    region = region_of(claim)
    if region.low <= found.low and found.high <= region.high:
        return replace(finding, verdict=SUPPORTED)
    if found.high < region.low or found.low > region.high:
        return replace(finding, verdict=REFUTED)
    needed = np.nan
    if found.spread > 0 and claim["estimand"]["statistic"] != "rate":
        log = is_log(claim["estimand"])
        value = float(np.log(found.value)) if log else found.value
        needed = seeds_to_decide(region.log() if log else region, value, found.spread, found.shared)
    return replace(finding, verdict=INCONCLUSIVE, seeds_needed=needed)


def _answer(finding: Finding, claim: dict[str, Any]) -> Finding:
    """A question is answered where its interval is as narrow as its resolution asks."""
    found, resolution = finding.estimate, claim.get("resolution")
    assert found is not None, "answered without an estimate"
    if claim.get("deterministic") or resolution is None:
        return replace(finding, verdict=ANSWERED)
    if is_log(claim["estimand"]):
        with np.errstate(divide="ignore", invalid="ignore"):
            fine = max(np.divide(found.value, found.low), np.divide(found.high, found.value)) <= resolution
        fine = fine or found.low == found.high  # a threshold that no seed reaches is infinite in all
    else:
        fine = max(found.value - found.low, found.high - found.value) <= resolution
    return replace(finding, verdict=ANSWERED) if fine else replace(
        finding, verdict=OPEN, reason="coarse", detail=f"{resolution:g}"
    )  # fmt: skip


def _beside(claim: dict[str, Any], study: Study, tables: Tables) -> tuple[float, ...]:
    """The numbers of the row's baselines: published ones as they are, others over the seeds that ended ok.

    A row's median stands beside medians, any other number beside means, unless an entry asks for the other.
    """
    found = []
    for entry in claim.get("beside", ()):
        if "value" in entry:
            found.append(float(entry["value"]))
        else:
            other = beside(claim["estimand"], entry)
            there = other["table"] in study.tables
            found.append(_baseline(in_full(other, study), tables) if there else np.nan)
    return tuple(found)


def with_lent_baselines(rows: pd.DataFrame, study: Study, tables: Tables) -> pd.DataFrame:
    """A ledger of several tiers in which baselines that a row's own run lacks are those of the tables that are lent.

    Only those that name a table of their own: what they measured may be of another device than the row, so that their
    words have to say where.
    """
    claims = {claim["id"]: claim for claim in study.claims}
    found = [
        _filled(row["beside"], claims[row["id"]], study, tables) if row["id"] in claims else row["beside"]
        for _, row in rows.iterrows()
    ]
    return rows.assign(beside=found)


def _filled(held: Any, claim: dict[str, Any], study: Study, tables: Tables) -> Any:
    values = json.loads(held) if isinstance(held, str) and held else []
    entries = claim.get("beside", ())
    if None not in values or len(values) != len(entries):
        return held
    for place, entry in enumerate(entries):
        if values[place] is None and entry.get("table") in tables:
            found = _baseline(in_full(beside(claim["estimand"], entry), study), tables)
            values[place] = None if np.isnan(found) else found
    return json.dumps(values)


def _baseline(estimand: dict[str, Any], tables: Tables) -> float:
    table = tables.get(estimand["table"], pd.DataFrame())
    rows = select(table, estimand["where"]) if len(table) else table
    if rows.empty or estimand["column"] not in rows:
        return np.nan
    values = rows.loc[is_ok(rows), estimand["column"]].to_numpy(dtype=float)
    if not len(values):
        return np.nan
    if estimand["statistic"] == "threshold":
        by_seed = pd.Series(np.nan_to_num(values, nan=np.inf, posinf=np.inf))
        by_seed = by_seed.groupby(rows.loc[is_ok(rows), "seed"].to_numpy()).min()
        return middle_of(by_seed.to_numpy(), on_grid="until" in estimand)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.exp(np.log(values).mean()) if estimand.get("scale") == "log" else values.mean())


def _row(claim: dict[str, Any], finding: Finding, study: Study) -> dict[str, Any]:
    found = finding.estimate
    names = (
        "verdict",
        "seeds",
        "runs",
        "failed",
        "seeds_needed",
        "reason",
        "detail",
        "stale",
        "rule_changed",
    )
    return {name: getattr(finding, name) for name in names} | {
        "id": claim["id"],
        "estimate": found.value if found else np.nan,
        "low": found.low if found else np.nan,
        "high": found.high if found else np.nan,
        "interval": found.ends if found else "",
        "cases": found.n if found else 0,
        "p_for": found.p_inside if found and "rule" in claim else np.nan,
        "p_against": found.p_outside if found and "rule" in claim else np.nan,
        "spread": found.spread if found else np.nan,
        "beside": json.dumps([None if np.isnan(x) else x for x in finding.beside]) if finding.beside else "",
        "tier": study.tier_name,
        "question": claim["question"],
        "kind": claim["kind"],
        "class": claim["class"],
    }
