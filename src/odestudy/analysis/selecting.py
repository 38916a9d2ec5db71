"""Rows of tables by what an estimand selects."""

from __future__ import annotations

from typing import Any

import pandas as pd

from odestudy.study.load import Study


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


def select(table: pd.DataFrame, where: dict[str, Any]) -> pd.DataFrame:
    """Rows by column: a value, a list of values, None for no value, or first / last of a numeric column within the selection."""
    for column, wanted in sorted(where.items(), key=lambda item: item[1] in ("first", "last")):
        if column not in table:
            return table.iloc[:0]
        if wanted is None:
            table = table[table[column].isna()]
        elif wanted in ("first", "last") and pd.api.types.is_numeric_dtype(table[column]):
            end = table[column].min() if wanted == "first" else table[column].max()
            table = table[table[column] == end]
        else:
            table = table[table[column].isin(wanted if isinstance(wanted, list) else [wanted])]
    return table


def is_ok(table: pd.DataFrame) -> pd.Series:
    """Which rows succeeded; a table of epochs may carry no status of its own."""
    if "status" not in table:
        return pd.Series(True, index=table.index)
    return table["status"].isna() | table["status"].isin(["ok", ""])
