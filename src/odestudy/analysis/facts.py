"""What prose and pictures may say: the ledger's rows by their ids, with their baselines by name, and the tables."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from odestudy.analysis.devices import CPU, device_said
from odestudy.analysis.selecting import select
from odestudy.analysis.values import interval, lookup
from odestudy.analysis.verdicts import ANSWERED, REASONS, REFUTED, SUPPORTED
from odestudy.statistics.estimates import BINOMIAL, GRID, ORDER, RANGE, STUDENT
from odestudy.statistics.region import region_of
from odestudy.study.estimands import beside

DIGITS = 2
STEP_TIME = "step_s"  # the column of times of a step


@dataclass(frozen=True)
class Fact:
    """One row of the ledger.

    Attributes:
        beside: name of a baseline -> its number, NaN where it was not measured.
        where: which rows of its table it is about; against: what differs on the other side of a ratio or difference.
        bound: the upper end of what is accepted.
        resolution: of a question, how narrow its interval has to be; NaN where it has none.
        timed: whether it is about the time of a step, for which nothing is trained to the end.
        tier: of the run that is shown, which need not be named.
    """

    row: dict[str, Any]
    unit: str
    beside: dict[str, float]
    where: dict[str, Any]
    against: dict[str, Any]
    bound: float
    resolution: float
    timed: bool
    tier: str

    @property
    def known(self) -> bool:
        """Whether there is a number."""
        return not pd.isna(self.value)

    @property
    def sure(self) -> bool:
        """Whether its verdict is one; else the number stands, and nothing rests on it."""
        return self.known and self.row["verdict"] in (SUPPORTED, REFUTED, ANSWERED)

    @property
    def supported(self) -> bool:
        return self.known and self.row["verdict"] == SUPPORTED

    @property
    def refuted(self) -> bool:
        return self.known and self.row["verdict"] == REFUTED

    @property
    def value(self) -> float:
        return float(self.row["estimate"])

    @property
    def low(self) -> float:
        return float(self.row["low"])

    @property
    def high(self) -> float:
        return float(self.row["high"])

    @property
    def said(self) -> str:
        """The number with its interval and unit."""
        ends = "range" if self.row["interval"] == RANGE else "interval"
        return interval(self.value, self.low, self.high, self.unit, DIGITS, ends=ends)

    @property
    def short(self) -> str:
        """The number with its unit, without its interval."""
        return interval(self.value, math.nan, math.nan, self.unit, DIGITS)

    def other(self, name: str, unit: str | None = None) -> str:
        """A baseline with its unit."""
        value = self.beside[name]
        return interval(value, math.nan, math.nan, self.unit if unit is None else unit, DIGITS)

    @property
    def why(self) -> str:
        """Why there is no number, or no verdict."""
        reason = str(self.row["reason"] or "")
        names = {k: self.row[k] for k in ("seeds", "runs", "failed", "detail")}
        said = REASONS[reason].format(**names)
        return said or ("its interval crosses the bound" if self.known else str(self.row["verdict"]))

    @property
    def source(self) -> str:
        """On how much it rests."""
        scatters = self.row["interval"] in (STUDENT, BINOMIAL, ORDER, GRID)
        seeds = f"{self.row['seeds']} seeds" if scatters else "one case"
        if self.row["tier"] == self.tier:
            return seeds
        name = device_said(self.row["tier"], self.row.get("device", CPU), self.timed)
        return f"{seeds}, tier {self.row['tier']}{f' run on {name}' if name else ''}"

    @property
    def on_processor(self) -> bool:
        """Whether its run is one on processors alone; an own run's devices are not known here."""
        return bool(self.row.get("device") == CPU)


@dataclass(frozen=True)
class Facts:
    """The rows of a ledger and the tables beside it.

    Attributes:
        ledger: rows with verdicts, of the largest tier that judges each.
        claims: the study's rows, which name units and baselines.
        table: name -> table of this tier; empty where there is none.
        tier: the tier that is shown.
    """

    ledger: pd.DataFrame
    claims: list[dict[str, Any]]
    table: Callable[[str], pd.DataFrame]
    tier: str

    def named(self, claim: str) -> str:
        """What the number of a row is called."""
        return str(next(c for c in self.claims if c["id"] == claim)["estimand"]["short"])

    def __call__(self, claim: str) -> Fact:
        """One row; of a claim that the ledger lacks, one without data."""
        about = next(c for c in self.claims if c["id"] == claim)
        names = [entry["is"] for entry in about.get("beside", ())]
        rows = self.ledger[self.ledger["id"] == claim]
        found = EMPTY if rows.empty else rows.iloc[0].fillna(EMPTY_TEXT).to_dict()
        row = {str(k): v for k, v in found.items()}
        values = json.loads(row["beside"]) if row["beside"] else []
        if len(values) != len(names):  # of an older ledger, or of runs that gave no number
            values = [None] * len(names)
        numbers = [math.nan if v is None else float(v) for v in values]
        estimand = about.get("estimand", {})
        return Fact(
            row,
            estimand.get("unit", "1"),
            dict(zip(names, numbers, strict=True)),
            estimand.get("where", {}),
            estimand.get("against", {}),
            region_of(about).high,
            about.get("resolution", math.nan),
            estimand.get("column") == STEP_TIME,
            self.tier,
        )

    def around(self, claim: str, name: str) -> tuple[float, float]:
        """The interval of a baseline over seeds, from the summary of its table; NaN where that has none."""
        about = next(c for c in self.claims if c["id"] == claim)
        entry = next(entry for entry in about["beside"] if entry["is"] == name)
        if "value" not in entry:
            source = beside(about["estimand"], entry)
            rows = self.rows(f"{source['table']}_summary", **source["where"])
            column = source["column"]
            # A row of the ledger may be of another tier than the tables; then its number is another one.
            if len(rows) == 1 and math.isclose(
                rows.iloc[0].get(column, math.nan), self(claim).beside[name], rel_tol=1e-6
            ):
                low, high = (float(rows.iloc[0].get(f"{column}_{end}", math.nan)) for end in ("low", "high"))
                return low, high
        return math.nan, math.nan

    def cell(self, table: str, column: str, unit: str = "", **where: Any) -> str:
        """One number of a summary with its interval; "n/a" where it is not there."""
        return lookup(self.rows(table, **where), column, {}, unit, DIGITS)

    def rows(self, table: str, **where: Any) -> pd.DataFrame:
        """The rows of a table that fit; none where the table is empty."""
        found = self.table(table)
        return select(found, where) if len(found) else found


def error_on_mnist(f: Facts) -> Fact:
    """The difference to six blocks after the longest training that there is."""
    longest, shorter = f("C09d"), f("C09a")
    return longest if longest.known or not shorter.known else shorter


def training_ratio(f: Facts) -> float:
    """Time of a training step of the ODE-Net on small images over that of the residual net; NaN where one is not known."""
    steps = f.rows("images_step_summary", dataset="digits")
    if steps.empty:
        return math.nan
    ours, theirs = (steps.loc[steps["arm"] == arm, "step_s"].mean() for arm in PAIR)
    return float(ours / theirs)


PAIR = ("odenet_adjoint", "resnet6")
EMPTY_TEXT = {"reason": "", "detail": "", "beside": "", "interval": ""}
EMPTY: dict[str, Any] = EMPTY_TEXT | {
    "verdict": "no data", "estimate": math.nan, "low": math.nan, "high": math.nan, "cases": 0, "seeds": 0,
    "runs": 0, "failed": 0, "spread": math.nan, "reason": "runs_missing", "tier": "",
}  # fmt: skip
