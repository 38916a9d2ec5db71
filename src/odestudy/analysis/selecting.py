"""Which rows of a table an estimand takes, and whether a tier has the jobs that write them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from odestudy.study.load import Study


def planned(estimand: dict[str, Any], study: Study) -> bool:
    """Whether this tier's jobs contain all that both sides of an estimand select by axes."""
    question, definition = study.tables[estimand["table"]]
    jobs = [j for e in definition["experiments"] for j in study.jobs_by.get((question, e), [])]
    for where in selections(estimand):
        for combination in _combinations(where):
            if not any(_job_fits(job.spec, combination) for job in jobs):
                return False
    return True


def selections(estimand: dict[str, Any]) -> list[dict[str, Any]]:
    """The selections of an estimand: one, or two where sides are compared."""
    first = estimand.get("where", {})
    return [first, first | estimand["against"]] if "against" in estimand else [first]


def expected_seeds(where: dict[str, Any], estimand: dict[str, Any], study: Study) -> set[int]:
    """The seeds of the jobs that a selection takes rows from: each must be there, failed or not."""
    question, definition = study.tables[estimand["table"]]
    jobs = study.jobs_of(question, definition["experiments"])
    combinations = _combinations(where)
    return {s for j in jobs if any(_job_fits(j.spec, c) for c in combinations) for s in j.spec["seeds"]}


def absent(where: dict[str, Any], table: pd.DataFrame, estimand: dict[str, Any], study: Study) -> str:
    """Values that a selection names and no row of the table has, of columns that are no axis of its jobs; "" for none.

    Such values are swept inside jobs, of which this tier has others.
    """
    question, definition = study.tables[estimand["table"]]
    jobs = study.jobs_of(question, definition["experiments"])
    axes = {column for job in jobs for column, value in job.spec.items() if not isinstance(value, list)}
    lacking = [
        f"{column} = {value}"
        for column, wanted in where.items()
        if column in table and column not in axes and wanted not in ("first", "last")
        for value in (wanted if isinstance(wanted, list) else [wanted])
        if value not in set(table[column])
    ]
    return ", ".join(lacking)


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


def is_ok(table: pd.DataFrame) -> pd.Series:
    """Which rows succeeded; a table of epochs may carry no status of its own."""
    if "status" not in table:
        return pd.Series(True, index=table.index)
    return table["status"].fillna("ok").isin(["ok", ""])
