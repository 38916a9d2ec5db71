"""A comparison for people: on the terminal, as JSON, as an HTML page."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from odestudy.analysis.values import interval
from odestudy.publication.compare import REPRODUCED, SAME, Comparison
from odestudy.report.markdown import escape, pipe_table
from odestudy.runtime.files import plain, write_atomically

MOST_LINES = 40


def as_text(found: Comparison) -> str:
    """Counts by table, then what was not reproduced, then the verdicts that changed."""
    counts = _counts(found)
    lines = [f"A: {found.a.name} ({found.a.devices})", f"B: {found.b.name} ({found.b.devices})", ""]
    lines += [counts.to_string() if len(counts) else "no metrics in common", ""]
    rest = found.metrics[found.metrics["outcome"] != REPRODUCED]
    for row in rest.head(MOST_LINES).itertuples():
        lines.append(
            f"{row.outcome}: {row.table}, {row.case}, {row.metric}: {row.a:.4g} -> {row.b:.4g} ({row.rule})"
        )
    if len(rest) > MOST_LINES:
        lines.append(f"and {len(rest) - MOST_LINES} more; --json or --html has them all")
    changed = found.verdicts[found.verdicts["outcome"] != SAME]
    lines += [""] + [f"{r.outcome}: {r.id}: {r.verdict_a} -> {r.verdict_b}" for r in changed.itertuples()]
    same = int((found.verdicts["outcome"] == SAME).sum())
    lines.append(f"{same} of {len(found.verdicts)} verdicts are the same.")
    return "\n".join(lines)


def _counts(found: Comparison) -> pd.DataFrame:
    return pd.crosstab(found.metrics["table"], found.metrics["outcome"])


def write_json(found: Comparison, path: Path) -> None:
    """Everything, with null where there is no number."""
    content = {
        "a": {"folder": found.a.name, "tier": found.a.tier, "devices": found.a.devices},
        "b": {"folder": found.b.name, "tier": found.b.tier, "devices": found.b.devices},
        "metrics": [plain(row) for row in found.metrics.to_dict("records")],
        "verdicts": [plain(row) for row in found.verdicts.to_dict("records")],
    }
    write_atomically(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def write_html(found: Comparison, path: Path, root: Path, says: dict[str, str]) -> None:
    """One page that needs no network, in the report's style; `says`: claim -> what it says."""
    from odestudy.report.pages import write_html as write_page

    verdicts = [
        [str(r.id), escape(says.get(str(r.id), "")), _words(r.outcome), _side(r, "a"), _side(r, "b")]
        for r in found.verdicts.itertuples()
    ]
    metrics = [
        [escape(r.table), escape(r.case), escape(r.metric), _words(r.outcome), f"{r.a:.4g}", f"{r.b:.4g}", escape(r.rule)]
        for r in found.metrics.itertuples()
    ]  # fmt: skip
    head = f"A is `{found.a.name}` ({escape(found.a.devices)}), B is `{found.b.name}` ({escape(found.b.devices)})."
    text = "\n\n".join(
        [
            "---\ntitle: Two runs of the study\n---",
            head,
            "# Verdicts",
            "::: {.ledger}\n" + pipe_table(["Id", "Claim", "Outcome", "A", "B"], verdicts) + "\n:::",
            "# Metrics",
            "::: {.jobs}\n" + pipe_table(["Table", "Case", "Metric", "Outcome", "A", "B", "Rule"], metrics) + "\n:::",
        ]
    )  # fmt: skip
    write_page(text, path, root / "report")


def _words(outcome: object) -> str:
    return f"[{outcome}]{{.verdict .{outcome}}}"


def _side(row: object, side: str) -> str:
    values = [getattr(row, f"{name}_{side}") for name in ("estimate", "low", "high")]
    verdict = getattr(row, f"verdict_{side}")
    return f"{'none' if pd.isna(verdict) else verdict} {interval(*values)}".strip()
