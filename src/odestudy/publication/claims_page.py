"""docs/claims.md: what each claim's author meant, how it is decided here, why that is fair, what would change the verdict."""

from __future__ import annotations

from typing import Any

from odestudy.analysis.advice import accepted
from odestudy.report.markdown import escape
from odestudy.statistics.region import region_of
from odestudy.study.claims import Headline
from odestudy.study.load import Study

HEAD = """# The claims, and why each is judged as it is

Written by `odestudy snapshot` from `config/claims.yaml` and `config/claims/`; edit those. A claim has one verdict, that of
its headline: the row, or the rows that must all hold, in the setting that its author had in mind. A conjunction is
supported where each row is, each tested one-sided at 5 %, and refuted where one is refuted after Holm's correction over
its rows. A question has a resolution in place of a rule: the precision at which it counts as answered. No verdict depends
on what else was run.
"""


def claims_page(study: Study) -> str:
    """The page, a section a claim."""
    rows = {claim["id"]: claim for claim in study.claims}
    sections = [_section(claim, about, rows) for claim, about in study.headlines.items()]
    return HEAD + "\n" + "\n".join(sections)


def _section(claim: str, about: Headline, rows: dict[str, dict[str, Any]]) -> str:
    parts = [
        f"## {claim}: {escape(about.title)}\n",
        f"**What was meant.** {escape(about.meant)}\n",
        f"**How it is decided.** {_decided(about, rows)}\n",
        f"**Why that is fair.** {escape(about.fair)}\n",
        f"**What would change it.** {escape(about.change)}\n",
    ]
    return "\n".join(parts)


def _decided(about: Headline, rows: dict[str, dict[str, Any]]) -> str:
    planned = f"Planned: {escape(about.planned)}" if about.planned else ""
    each = [f"{row}, {_row(rows[row])}" for row in about.rows]
    if not each:
        return planned
    said = (
        "Until then these rows stand beside it: " if planned else "All of: " if len(each) > 1 else "By "
    ) + "; ".join(each)
    return f"{planned} {said}.".strip()


def _row(row: dict[str, Any]) -> str:
    """What a row estimates and what it accepts."""
    estimand = row.get("estimand")
    if estimand is None:
        return "which has no experiment yet"
    what = escape(estimand["is"].strip().removesuffix("."))
    unit = "" if estimand.get("unit", "1") == "1" else f" {estimand['unit']}"
    if "rule" in row:
        rule = f"accepted: {escape(accepted(region_of(row)))}{escape(unit)}"
        because = row["rule"].get("because")
        return f"{what}; {rule}" + (f" ({escape(because.strip().removesuffix('.'))})" if because else "")
    if "resolution" in row:
        return f"{what}; answered at a resolution of {row['resolution']:g}{escape(unit)}"
    return what
