"""What a published run found, for those who have not opened its report: a page with all verdicts, a few figures."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from odestudy.analysis.csvs import read_csv
from odestudy.analysis.values import interval
from odestudy.analysis.verdicts import NO_DATA, NOT_TESTABLE
from odestudy.report.ledger_markdown import SIGNS
from odestudy.report.markdown import escape, pipe_table
from odestudy.report.marked import put_between
from odestudy.runtime.files import write_atomically
from odestudy.study.load import Study

PAGE, README = Path("docs/findings.md"), Path("README.md")
DECIDED = [verdict for verdict in SIGNS if verdict not in (NO_DATA, NOT_TESTABLE)]


def write_snapshot(study: Study) -> None:
    """Write docs/findings.md, and the part of the README that is between its markers, from a published run."""
    readme = study.root / README
    text = put_between(readme.read_text(encoding="utf-8"), "findings", summary_of(study))
    write_atomically(study.root / PAGE, page_of(study).encode())
    write_atomically(readme, text.encode())


def page_of(study: Study) -> str:
    """All decided rows of the ledger as Markdown."""
    ledger = _ledger(study)
    report = f"../results/{study.run}/report/index.html"
    counts = ", ".join(
        f"{SIGNS[v]} {(ledger['verdict'] == v).sum()} {v}" for v in SIGNS if (ledger["verdict"] == v).any()
    )
    rows = [
        [row["id"], f"{SIGNS[row['verdict']]} {row['verdict']}", escape(row["says"]), _estimate(row), str(row["seeds"]),
         escape(row["flip"])]
        for _, row in ledger[ledger["verdict"].isin(DECIDED)].iterrows()
    ]  # fmt: skip
    return (
        f"# What the study found\n\nWritten by `odestudy snapshot results/{study.run}`; no number here is typed. Tier "
        f"{study.tier_name}: {escape(study.tier['title'])}. {counts}. What each number is, its sources and the rest "
        f"stand in [the report]({report}).\n\n"
        + pipe_table(["claim", "verdict", "", "estimate", "seeds", "what would flip it"], rows)
    )


def summary_of(study: Study) -> str:
    """Counts of the verdicts and the figures that config/study.yaml names."""
    ledger = _ledger(study)
    counts = [[f"{SIGNS[v]} {v}", str((ledger["verdict"] == v).sum())] for v in SIGNS]
    folder = f"results/{study.run}"
    parts = [
        f"The tier {study.tier_name} as published ([report]({folder}/report/report.pdf), "
        f"[all verdicts]({PAGE.as_posix()})):\n",
        pipe_table(["verdict", "claims and questions"], counts),
    ]
    for name in study.settings["shown"]:
        about = json.loads((study.results / f"figures/{name}.json").read_text(encoding="utf-8"))
        parts.append(
            f"![{escape(about['alt'])}]({folder}/figures/{name}.png)\n\n{escape(about['caption'])}\n"
        )
    return "\n".join(parts)


def _ledger(study: Study) -> pd.DataFrame:
    return read_csv(study.results / "tables/ledger.csv")


def _estimate(row: pd.Series) -> str:
    return escape(interval(row["estimate"], row["low"], row["high"], row["unit"]))
