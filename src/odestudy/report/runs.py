"""What was run on what, and what failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from odestudy.report.markdown import escape, pipe_table, shares
from odestudy.study.load import Study
from odestudy.study.tiers import tier_of


def outcomes(study: Study, table: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    """Every row that a job wrote with a status, once: question, table, status, message, and whether its time is noisy.

    Args:
        table: the long table of a name. Tables that are made of others, or show the same rows again, are left out.
    """
    found, seen = [], set()
    for name, (question, definition) in study.tables.items():
        source = (question, frozenset(definition["experiments"]), definition["rows"])
        rows = table(name)
        if "derive" in definition or source in seen or "status" not in rows:
            continue
        seen.add(source)
        rows = rows.reindex(columns=["status", "message", "noisy"]).assign(question=question, table=name)
        found.append(rows.dropna(subset=["status"]))
    columns = ["question", "table", "status", "message", "noisy"]
    return pd.concat(found) if found else pd.DataFrame(columns=columns)


def what_ran(jobs: pd.DataFrame, rows: pd.DataFrame) -> dict[str, Any]:
    """Jobs, rows and failures, time, and on which machines with which packages at which commits."""
    present = jobs[jobs["ran"].astype(bool)]
    told = present.get("nondeterministic", pd.Series(dtype=object)).dropna().astype(str)
    empty = present.empty
    return {
        "jobs": len(jobs),
        "done": len(present),
        "tiers": {} if empty else present.groupby("tier", sort=False).size().to_dict(),
        "missing": len(jobs) - len(present),
        "rows": len(rows),
        "failed": int((rows["status"] != "ok").sum()),
        "timings": int(rows["noisy"].notna().sum()),
        "noisy": int(rows["noisy"].astype(str).eq("True").sum()),
        "stale": 0 if empty else int(present["stale"].astype(bool).sum()),
        "hours": 0.0 if empty else float(present["wall_s"].sum() / 3600),
        "devices": {} if empty else present.groupby("device_name").size().to_dict(),
        "machines": _machines(present),
        "longest_min": np.nan if empty else float(present["wall_s"].max() / 60),
        "peak_mib": np.nan if empty else float(present["process_peak_mib"].max()),
        "seeds": sorted({int(s) for cell in jobs["seeds"].astype(str) for s in cell.split()}),
        "commits": sorted(present["commit"].dropna().unique()) if "commit" in present else [],
        "dirty": not empty and bool((present["clean"].astype(str) == "False").any()),
        "versions": {
            c.removesuffix(" version"): _joined(present[c])
            for c in map(str, present)
            if c.endswith(" version")
        },
        "threads": "" if empty else _joined(present["threads"]),
        "told": len(told),
        "nondeterministic": sorted({name for cell in told for name in cell.split()} - {"none"}),
    }


def _machines(present: pd.DataFrame) -> list[str]:
    """The machines that jobs ran on, in words; what older jobs did not record is left out."""
    about = present.reindex(
        columns=["device_name", "cores", "memory_gib", "system", "blas"]
    ).drop_duplicates()
    found = []
    for _, row in about.iterrows():
        parts = [
            str(row["device_name"]),
            f"{row['cores']:.0f} logical cores" if pd.notna(row["cores"]) else "",
            f"{row['memory_gib']:.3g} GiB of memory" if pd.notna(row["memory_gib"]) else "",
            str(row["system"]) if pd.notna(row["system"]) else "",
            f"BLAS {row['blas']}" if pd.notna(row["blas"]) else "",
        ]
        found.append(", ".join(filter(None, parts)))
    return found


def failures_table(rows: pd.DataFrame) -> str:
    """As Markdown: how often which status ended what, with an example."""
    counts = rows.groupby("table").size()
    failed = rows[rows["status"] != "ok"]
    shown = []
    for (question, name, status), group in failed.groupby(["question", "table", "status"], sort=False):
        share = f"{len(group)} of {counts.loc[str(name)]}"
        shown.append([str(question), escape(name), escape(status), share, escape(group["message"].iloc[0])])
    if not shown:
        return "Every run ended with status `ok`.\n"
    header = ["Question", "Table", "Status", "Rows", "For example"]
    return pipe_table(header, shown, widths=shares(12, 20, 14, 12, 42))


def dropped_table(study: Study) -> str:
    """As Markdown: what a tier changes or leaves out."""
    rows = [[q, escape(e), escape(why)] for (q, e), why in study.dropped.items()]
    for (q, e), folder in study.lent.items():
        why = study.tier["questions"][q][e]["drop"]
        rows.append([q, escape(e), escape(f"{why.rstrip('.')}; shown here of tier {tier_of(folder)}")])
    for question, experiments in study.tier["questions"].items():
        for experiment, change in experiments.items():
            if question in study.questions and ("base" in change or "grid" in change):
                parts = [
                    f"{k} = {_setting(v)}"
                    for k, v in {**change.get("base", {}), **change.get("grid", {})}.items()
                ]
                rows.append([question, escape(experiment), escape("set to " + "; ".join(parts))])
    if not rows:
        return "This tier runs every experiment as the question's YAML has it.\n"
    return pipe_table(
        ["Question", "Experiment", "What this tier changes or leaves out"],
        rows,
        widths=shares(12, 22, 66),
    )


def _setting(value: Any) -> str:
    """A setting in words, without the brackets of a language."""
    if isinstance(value, dict):
        return "(" + ", ".join(f"{k} {_setting(v)}" for k, v in value.items()) + ")"
    return ", ".join(map(_setting, value)) if isinstance(value, list) else str(value)


def _joined(column: pd.Series) -> str:
    return ", ".join(
        sorted({str(v).removesuffix(".0") if isinstance(v, float) else str(v) for v in column.dropna()})
    )
