"""Pieces of Markdown: what comes from data is escaped, so that it is shown as text and never as markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from odestudy.analysis.labels import Labels
from odestudy.analysis.values import interval, number

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|$@^~&\"'])")
NARROWEST, WIDEST = 9, 40  # characters of a column, by which a wide table is shared out


def escape(value: Any) -> str:
    """Text that pandoc's Markdown shows as it is."""
    text = _SPECIAL.sub(r"\\\1", str(value)).replace("--", r"\-\-")  # else two hyphens become a dash
    return " ".join(text.split())


def pipe_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "", widths: Sequence[str] = ()
) -> str:
    """A Markdown table; cells are Markdown already."""
    align = "|" + "|".join(widths or [":---"] * len(header)) + "|"
    lines = ["| " + " | ".join(header) + " |", align]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    if caption:
        lines += ["", f": {caption}"]
    return "\n".join(lines) + "\n"


def shares(*percent: int) -> list[str]:
    """Widths of columns for pipe_table."""
    return [f":{'-' * share}" for share in percent]


def summary_markdown(
    summary: pd.DataFrame,
    by: list[str],
    columns: list[str],
    info: dict[str, dict[str, Any]],
    labels: Labels,
    of: str = "runs",
) -> str:
    """A summary table for people: one row a group, each value with its interval.

    Args:
        of: "runs" where rows are runs, of which some fail; else what a row stands for, as the seed of a share.
    """
    shown = [c for c in columns if c in summary and summary[c].notna().any()]
    if summary.empty or not shown:
        return "*No data at this tier.*\n"
    header = (
        [escape(_heading(b, info)) for b in by]
        + ["runs ok" if of == "runs" else of]
        + [escape(_heading(c, info)) for c in shown]
    )
    rows = []
    for _, row in summary.iterrows():
        cells = [escape(labels.of(b, row[b])) for b in by] + [_counted(row, of)]
        for column in shown:
            digits = info.get(column, {}).get("digits", 3)
            cell = interval(row[column], row[f"{column}_low"], row[f"{column}_high"], "", digits)
            has = row.get(f"{column}_n", row["ok"])
            cells.append(f"{cell} ({has:.0f} of {row['ok']})" if 0 < has < row["ok"] else cell)
        rows.append(cells)
    return pipe_table(header, rows)


def _counted(row: pd.Series, of: str) -> str:
    return f"{row['ok']} of {row['runs']}" if of == "runs" else str(row["runs"])


def _heading(column: str, info: dict[str, dict[str, Any]]) -> str:
    about = info.get(column, {})
    unit = f" ({about['unit']})" if "unit" in about else ""
    return f"{about.get('label', column)}{unit}"


def rows_markdown(table: pd.DataFrame, columns: dict[str, str], labels: Labels) -> str:
    """Some columns of a table as they stand; `columns` maps column -> heading, those without any value are left out."""
    if table.empty:
        return "*No data at this tier.*\n"
    columns = {c: heading for c, heading in columns.items() if c in table and table[c].notna().any()}
    rows = []
    for _, row in table.iterrows():
        rows.append(
            [escape(labels.of(c, row[c])) if isinstance(row[c], str) else _cell(row[c]) for c in columns]
        )
    header = [escape(h) for h in columns.values()]
    return pipe_table(header, rows, widths=_by_content(header, rows))


def _by_content(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Widths of columns as what they hold needs: a word of the heading at least, and long text wrapped."""
    words = [max(len(word) for word in name.split() or [""]) for name in header]
    longest = [max(len(row[i]) for row in rows) for i in range(len(header))]
    return shares(*(min(max(*pair, NARROWEST), WIDEST) for pair in zip(words, longest, strict=True)))


def _cell(value: Any) -> str:
    """A number, a yes or no, or nothing."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return "" if pd.isna(value) else number(value)
