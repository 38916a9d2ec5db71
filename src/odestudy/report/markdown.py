"""Pieces of Markdown: what comes from data is escaped, so that it is shown as text and never as markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from odestudy.analysis.labels import Labels
from odestudy.analysis.selecting import is_ok
from odestudy.analysis.values import interval, number
from odestudy.statistics.estimates import middle_of

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


def medians_markdown(
    table: pd.DataFrame,
    by: list[str],
    columns: list[str],
    info: dict[str, dict[str, Any]],
    labels: Labels,
) -> str:
    """Medians with quartiles, one row a group of a long table; a run that ended ok without a number counts as infinite.

    Quartiles are values of runs, as there is nothing between a number and infinity. The median is as the ledger has it.
    """
    by = [b for b in by if b in table]
    shown = [c for c in columns if c in table and table[c].notna().any()]
    if table.empty or not shown:
        return "*No data at this tier.*\n"
    header = (
        [escape(_heading(c, info)) for c in by] + ["runs ok"] + [escape(_heading(c, info)) for c in shown]
    )
    grids = {c for c, about in info.items() if "until" in about} | {
        a["until"] for a in info.values() if "until" in a
    }
    rows = []
    for _, runs in table.groupby(by, sort=False, dropna=False):
        ok = runs[is_ok(runs)]
        cells = [escape(labels.of(b, runs[b].iloc[0])) for b in by] + [f"{len(ok)} of {len(runs)}"]
        rows.append([*cells, *(_median(ok[c], on_grid=c in grids) for c in shown)])
    return pipe_table(header, rows)


def _median(values: pd.Series, *, on_grid: bool) -> str:
    """`median (lower quartile to upper quartile)`."""
    x = np.sort(values.astype(float).fillna(np.inf).to_numpy())
    if not len(x):
        return "none"
    middle, below = middle_of(x, on_grid=on_grid), -(-len(x) // 4) - 1
    low, high = x[below], x[-1 - below]
    around = "" if low == middle == high else f" ({number(low, 2)} to {number(high, 2)})"
    return number(middle, 2) + around


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
