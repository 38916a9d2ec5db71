"""Two folders of results side by side: metric by metric, verdict by verdict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from odestudy import build
from odestudy.analysis.csvs import read_csv
from odestudy.errors import DataError
from odestudy.publication.manifest import none_published
from odestudy.publication.unpack import is_packed, unpack

REPRODUCED, DIFFERS, MISSING = "reproduced", "differs", "missing"
SAME, CHANGED, FLIPPED = "same", "changed", "flipped"
OPPOSITE = {"supported", "refuted"}
RELATIVE = 0.01  # for numbers without an interval: one seed, or deterministic
# A flag of the clock, and what a trainer got done in a given time, tell of the machine and not of the method.
OF_THE_MACHINE = {"noisy", "equal_time"}
OF_THE_MACHINE_AT_EQUAL_TIME = {"iterations", "samples_used"}
AT_EQUAL_TIME = "budget_s"  # a table with this column has trainings that ended by the clock
FACTOR = 2.0  # for times and memory: within this factor of what the machines' typical ratio predicts


@dataclass(frozen=True)
class Results:
    """What is compared of one folder: its tier, its devices, its summaries by table, its ledger by claim."""

    name: str
    tier: str
    devices: str
    summaries: dict[str, pd.DataFrame]
    ledger: pd.DataFrame


@dataclass(frozen=True)
class Comparison:
    """Every metric with the rule that judged it, and every claim with both verdicts."""

    a: Results
    b: Results
    metrics: pd.DataFrame
    verdicts: pd.DataFrame

    @property
    def flipped(self) -> bool:
        """Whether a claim is supported here and refuted there."""
        return bool((self.verdicts["outcome"] == FLIPPED).any())


def read_results(folder: Path, root: Path) -> Results:
    """The tables of a results folder, those of a published one made from its metrics.

    Raises:
        DataError: it holds no tables; the text says how to make them.
    """
    if not folder.is_dir() or ((folder / "metrics").is_dir() and not is_packed(folder)):
        raise DataError(none_published(folder))
    tables = (_laid_out(root, folder) if is_packed(folder) else folder) / "tables"
    if not (tables / "ledger.csv").is_file() or not (tables / "jobs.csv").is_file():
        raise DataError(
            f"{folder}: no tables/ledger.csv and tables/jobs.csv; `make report TIER=...` writes them"
        )
    ledger, jobs = read_csv(tables / "ledger.csv"), read_csv(tables / "jobs.csv")
    found = {p.stem.removesuffix("_summary"): read_csv(p) for p in sorted(tables.glob("*_summary.csv"))}
    devices = sorted(jobs["device_name"].dropna().unique()) if "device_name" in jobs else []
    return Results(str(folder), str(ledger["tier"].iloc[0]), ", ".join(devices), found, ledger)


def _laid_out(root: Path, folder: Path) -> Path:
    """The folder where published results have their tables."""
    study = unpack(root, folder).alone
    build.make_all_tables(study)
    return study.results


def compare(a: Results, b: Results, measured: set[str], across_tiers: bool = False) -> Comparison:
    """Hold b against a.

    Args:
        measured: the columns that differ from run to run, such as times.
        across_tiers: compare even where the tiers differ.

    Raises:
        DataError: the tiers differ and `across_tiers` is not set.
    """
    if a.tier != b.tier and not across_tiers:
        raise DataError(
            f"{a.name} is of tier {a.tier}, {b.name} of tier {b.tier}: other budgets give other numbers; "
            "--across-tiers compares them all the same"
        )
    names = list(dict.fromkeys([*a.summaries, *b.summaries]))
    rows = [row for name in names for row in _table(name, a.summaries.get(name), b.summaries.get(name))]
    metrics = pd.DataFrame(rows, columns=["table", "case", "metric", *_NUMBERS])
    return Comparison(a, b, _judged(metrics, measured), _verdicts(a.ledger, b.ledger))


_NUMBERS = ("a", "a_low", "a_high", "b", "b_low", "b_high")


def _table(name: str, a: pd.DataFrame | None, b: pd.DataFrame | None) -> list[dict[str, Any]]:
    """One row a case and metric; where one side lacks it, its numbers are nan."""
    sides = [{} if side is None else _numbers(side) for side in (a, b)]
    missing = (np.nan,) * 3
    return [
        dict(zip(("table", "case", "metric", *_NUMBERS), (name, *key, *sides[0].get(key, missing), *sides[1].get(key, missing)), strict=True))
        for key in dict.fromkeys([*sides[0], *sides[1]])
    ]  # fmt: skip


def _numbers(summary: pd.DataFrame) -> dict[tuple[str, str], tuple[float, float, float]]:
    """(case, metric) -> mean, low, high; what stands before the column `runs` names the case."""
    columns = [str(c) for c in summary]
    by = columns[: columns.index("runs")]
    left_out = OF_THE_MACHINE | (OF_THE_MACHINE_AT_EQUAL_TIME if AT_EQUAL_TIME in columns else set())
    # A column that is itself the end of an interval, as order_low is, has no ends of its own under its name.
    metrics = [c for c in columns[columns.index("ok") + 1 :] if {f"{c}_low", f"{c}_high"} <= set(columns)]
    metrics = [c for c in metrics if c not in left_out]
    found: dict[tuple[str, str], tuple[float, float, float]] = {}
    for row in summary.to_dict("records"):
        case = ", ".join(str(row[c]) for c in by)
        for metric in metrics:
            value, low, high = (float(row[f"{metric}{end}"]) for end in ("", "_low", "_high"))
            if not np.isnan(value):
                found[case, metric] = value, low, high
    return found


def _judged(metrics: pd.DataFrame, measured: set[str]) -> pd.DataFrame:
    """Adds rule and outcome; a measured column is first freed of the typical ratio of the two machines."""
    typical: dict[str, float] = {}
    with np.errstate(all="ignore"):
        for metric, part in metrics.groupby("metric"):
            ratios = (part["b"] / part["a"]).replace([np.inf, -np.inf], np.nan).dropna()
            typical[str(metric)] = float(ratios[ratios > 0].median()) if (ratios > 0).any() else 1.0
    rows: list[dict[str, Any]] = [dict(row) for _, row in metrics.iterrows()]
    judged = [_judge(row, row["metric"] in measured, typical) for row in rows]
    return metrics.assign(
        rule=[rule for rule, _ in judged], outcome=pd.Series([o for _, o in judged], dtype=object)
    )


def _judge(row: dict[str, Any], measured: bool, typical: dict[str, float]) -> tuple[str, str]:
    a, b = row["a"], row["b"]
    if np.isnan(a) or np.isnan(b):
        return "present in both", MISSING
    if measured:
        expected = typical[row["metric"]]
        ratio = b / a / expected if a > 0 and b > 0 else float(a == b)
        fine = 1 / FACTOR <= ratio <= FACTOR
        return f"within {FACTOR:g} times, machines {expected:.3g}", REPRODUCED if fine else DIFFERS
    if not any(np.isnan(row[k]) for k in ("a_low", "a_high", "b_low", "b_high")):
        fine = row["a_low"] <= row["b_high"] and row["b_low"] <= row["a_high"]
        return "intervals overlap", REPRODUCED if fine else DIFFERS
    fine = abs(a - b) <= RELATIVE * max(abs(a), abs(b))
    return f"within {100 * RELATIVE:g} %", REPRODUCED if fine else DIFFERS


def _verdicts(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """Both verdicts of every claim, in the order of the ledgers."""
    keep = ["id", "verdict", "estimate", "low", "high"]
    both = a[keep].merge(b[keep], on="id", how="outer", suffixes=("_a", "_b"), sort=False)
    return both.assign(
        outcome=[outcome(x, y) for x, y in zip(both["verdict_a"], both["verdict_b"], strict=True)]
    )


def outcome(a: Any, b: Any) -> str:
    """How two verdicts of one claim, or of one row, stand to each other."""
    if pd.isna(a) or pd.isna(b):
        return MISSING
    return SAME if a == b else FLIPPED if {a, b} == OPPOSITE else CHANGED
