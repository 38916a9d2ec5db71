"""What a published run found, for those who have not opened its report: a page with all verdicts, a few figures."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
from PIL import Image

from odestudy import build
from odestudy.analysis.csvs import read_csv
from odestudy.analysis.values import interval
from odestudy.analysis.verdicts import NO_DATA, NOT_TESTABLE
from odestudy.publication.claims_page import claims_page
from odestudy.report.ledger_markdown import SIGNS
from odestudy.report.ledger_words import with_words
from odestudy.report.markdown import escape, pipe_table
from odestudy.report.marked import put_between
from odestudy.report.overview import overview_table
from odestudy.runtime.files import write_atomically
from odestudy.study.load import Study

PAGE, CLAIMS_PAGE, README, PICTURES = (
    Path("docs/findings.md"),
    Path("docs/claims.md"),
    Path("README.md"),
    Path("docs/pictures"),
)
WIDTH_PX, COLOURS = 1200, 64
DECIDED = [verdict for verdict in SIGNS if verdict not in (NO_DATA, NOT_TESTABLE)]


def write_snapshot(study: Study) -> None:
    """Write docs/findings.md, docs/claims.md, the README's part between its markers and its pictures.

    What was found is that of a published run, with what other published tiers judge better.
    """
    build.make_all_tables(study)
    write_atomically(study.root / CLAIMS_PAGE, claims_page(study).encode())
    for name in study.settings["shown"]:
        build.make_figure(study, name)
        write_atomically(study.root / PICTURES / f"{name}.png", _small(study.results / f"figures/{name}.png"))
    ledger, readme = ledger_of(study), study.root / README
    text = put_between(readme.read_text(encoding="utf-8"), "findings", summary_of(study, ledger))
    write_atomically(study.root / PAGE, page_of(study, ledger).encode())
    write_atomically(readme, text.encode())


def ledger_of(study: Study) -> pd.DataFrame:
    """The rows of all published tiers, with their words."""
    return with_words(read_csv(study.results / "tables/whole_ledger.csv"), study)


def page_of(study: Study, ledger: pd.DataFrame) -> str:
    """All decided rows of the ledger as Markdown."""
    counts = ", ".join(
        f"{SIGNS[v]} {(ledger['verdict'] == v).sum()} {v}" for v in SIGNS if (ledger["verdict"] == v).any()
    )
    rows = [
        [row["id"], f"{SIGNS[row['verdict']]} {row['verdict']}", escape(row["says"]), _estimate(row), str(row["seeds"]),
         escape(row["change"])]
        for _, row in ledger[ledger["verdict"].isin(DECIDED)].iterrows()
    ]  # fmt: skip
    folder = f"results/published/{study.results.name}"
    return (
        f"# What the study found\n\nWritten by `odestudy snapshot {folder}`; no number here is typed. Tier "
        f"{study.tier_name}: {escape(study.tier['title'])}. {counts}. What each number is, its sources and the rest "
        f"stand in the report, which `odestudy report {folder}` writes.\n\n"
        + pipe_table(["claim", "verdict", "", "estimate", "seeds", "what would change it"], rows)
    )


def summary_of(study: Study, ledger: pd.DataFrame) -> str:
    """A line a claim, and the figures that config/study.yaml names."""
    parts = [
        f"The tier {study.tier_name} as published ([all verdicts]({PAGE.as_posix()}); `make report` writes the report):\n",
        overview_table(
            read_csv(study.results / "tables/headlines.csv"), ledger, study.headlines, links=False
        ),
    ]
    for name in study.settings["shown"]:
        about = json.loads((study.results / f"figures/{name}.json").read_text(encoding="utf-8"))
        picture = (PICTURES / f"{name}.png").as_posix()
        parts.append(f"![{escape(about['alt'])}]({picture})\n\n{escape(about['caption'])}\n")
    return "\n".join(parts)


def _small(png: Path) -> bytes:
    """A picture for a page: as wide as that shows it, and of few colours."""
    with Image.open(png) as picture:
        size = WIDTH_PX, round(picture.height * WIDTH_PX / picture.width)
        drawn = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS).quantize(COLOURS)
    buffer = io.BytesIO()
    drawn.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def _estimate(row: pd.Series) -> str:
    return escape(interval(row["estimate"], row["low"], row["high"], row["unit"]))
