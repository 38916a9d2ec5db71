"""The jobs of a run for people, as Markdown tables."""

from __future__ import annotations

import pandas as pd

from odestudy.analysis.values import number
from odestudy.report.markdown import escape, pipe_table

_SPANS = (("wall_s", "sum"), ("wall_s", "max"), ("process_peak_mib", "max"))


def jobs_table(jobs: pd.DataFrame) -> str:
    """One row a job, with a link to its metrics."""
    rows = []
    for _, r in jobs.iterrows():
        ran = str(r["ran"]) == "True"
        link = f"[{escape(r['job'])}](../runs/{r['job']}/metrics.json)" if ran else escape(r["job"])
        state = "not run" if not ran else f"{int(r['ok'])} of {int(r['rows'])} ok"
        wall = number(r["wall_s"]) if ran else ""
        peak = number(r["process_peak_mib"]) if ran else ""
        commit = escape(str(r["commit"])[:10]) if ran and pd.notna(r.get("commit")) else ""
        where = escape(f"{r['device_name']}, {r['dtype']}, {r['threads']:.0f} threads") if ran else ""
        rows.append([link, escape(r["tier"]), escape(r["seeds"]), state, wall, peak, where, commit])
    header = ["Job", "Tier", "Seeds", "Rows", "Wall time (s)", "Peak memory (MiB)", "On", "Commit"]
    return pipe_table(header, rows)


def tasks_table(jobs: pd.DataFrame) -> str:
    """One row a task and tier: how many of its jobs ran, and what they took together and at most."""
    rows = []
    for (task, tier), own in jobs.groupby([jobs["job"].str.split("/").str[0], "tier"], sort=False):
        ran = own[own["ran"].astype(str) == "True"]
        state = f"{int(ran['ok'].sum())} of {int(ran['rows'].sum())} ok" if len(ran) else "not run"
        times = [number(ran[column].agg(how)) for column, how in _SPANS] if len(ran) else ["", "", ""]
        rows.append([escape(task), escape(tier), f"{len(ran)} of {len(own)}", state, *times])
    header = ["Task", "Tier", "Jobs ran", "Rows", "Wall time, sum (s)", "Longest (s)", "Peak memory (MiB)"]
    return pipe_table(header, rows)
