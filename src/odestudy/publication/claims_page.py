"""docs/claims.md: what each claim's author meant, how it is decided here, why that is fair, what would change the verdict."""

from __future__ import annotations

import re
from typing import Any

from odestudy.analysis.advice import accepted
from odestudy.analysis.estimators import is_log
from odestudy.analysis.training_gate import is_share
from odestudy.statistics.region import region_of
from odestudy.study.claims import Headline
from odestudy.study.load import Study

HEAD = """# The claims, and why each is judged as it is

Written by `odestudy snapshot` from `config/claims/`; edit those. A claim has one verdict, that of
its headline: the row, or the rows that must all hold, in the setting that its author had in mind. A conjunction is
supported where each row is, each tested one-sided at 5 %, and refuted where one is refuted after Holm's correction over
its rows. A question has a resolution in place of a rule: the precision at which it counts as answered. No verdict depends
on what else was run.

P is the proposal, N the reading note, T the poster, I the introduction, H the walk-through, R the poster's fuller edition
in its repository; a number behind the letter is a section. C05a is a row of the claim C05; rows that are named but not
listed here are in the report. ResNet 6 and ResNet 1 are residual networks of six blocks and of one. A seed is one
repetition, with an initialisation and data of its own. N of a fit is the quantity that is varied. RMSE is the root mean
square error, nRMSE the same over the spread of the data, NLL the negative log-likelihood.
"""


def claims_page(study: Study) -> str:
    """The page, a section a claim."""
    rows = {claim["id"]: claim for claim in study.claims}
    sections = [_section(claim, about, rows) for claim, about in study.headlines.items()]
    return HEAD + "\n" + "\n".join(sections)


def _section(claim: str, about: Headline, rows: dict[str, dict[str, Any]]) -> str:
    parts = [
        f"## {claim}: {_line(about.title)}\n",
        f"**What was meant.** {_line(about.meant)}\n",
        f"**How it is decided.** {_decided(about, rows)}\n",
        f"**Why that is fair.** {_line(about.fair)}\n",
        f"**What would change it.** {_line(about.change)}\n",
    ]
    return "\n".join(parts)


def _decided(about: Headline, rows: dict[str, dict[str, Any]]) -> str:
    planned = f"Planned: {_line(about.planned)}" if about.planned else ""
    each = [f"- {row}. {_row(rows[row])}." for row in about.rows]
    if not each:
        return planned
    if planned:
        return "\n".join([f"{planned} Until then:\n", *each])
    return "\n".join(["All of these rows:\n" if len(each) > 1 else "By one row:\n", *each])


def _row(row: dict[str, Any]) -> str:
    """What a row estimates and what it accepts."""
    estimand = row.get("estimand")
    if estimand is None:
        return "It has no experiment yet"
    what = _line(estimand["is"]).removesuffix(".")
    unit = "" if estimand.get("unit", "1") == "1" else f" {estimand['unit']}"
    if "rule" in row:
        because = _line(row["rule"].get("because", "")).removesuffix(".")
        what += f". Accepted: {accepted(region_of(row))}{unit}" + (f". {because}" if because else "")
    elif "resolution" in row:
        factor = "a factor of " if is_log(estimand) else "a half width of "
        what += f". Answered where its interval is within {factor}{row['resolution']:g}{'' if is_log(estimand) else unit}"
    return ". ".join([what, *_gates(row)])


def _gates(row: dict[str, Any]) -> list[str]:
    """Under which conditions it stays open, whatever its number."""
    found, estimand = [], row["estimand"]
    if gate := row.get("trained"):
        unit = gate.get("unit", "" if "column" in gate else estimand.get("unit", "1")).removeprefix("1")
        worse = (
            f"{100 * gate['margin']:g} %" if is_share(gate, row) else f"{gate['margin']:g} {unit}".rstrip()
        )
        is_what = "gives another number" if gate.get("both_ways") else "is worse"
        cut = f"; an error above {gate['most']:g} counts as {gate['most']:g}" if "most" in gate else ""
        found.append(f"Open while half the training {is_what} by more than {worse}{cut}")
    if provided := row.get("provided"):
        found.append(_line(provided["because"]).removesuffix("."))
    return found


def _line(text: str) -> str:
    """Text on one line, without what Markdown would take for emphasis or for a formula."""
    return re.sub(r"([*_^$])", r"\\\1", " ".join(text.split()))
