"""One verdict a claim: of the row, or of the rows that must all hold, by which its author would have it judged."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from odestudy.analysis.verdicts import (
    ANSWERED,
    INCONCLUSIVE,
    JUDGED,
    OPEN,
    PLANNED,
    REFUTED,
    SUPPORTED,
    VERDICTS,
)
from odestudy.statistics.region import ALPHA
from odestudy.statistics.tests import holm
from odestudy.study.claims import Headline

COLUMNS = ("id", "verdict", "row", "rows", "reason", "detail", "tier", "class", "smaller")


def headlines(claims: Mapping[str, Headline], ledger: pd.DataFrame) -> pd.DataFrame:
    """One line a claim.

    Args:
        claims: claim -> its headline.
        ledger: rows with verdicts, of one tier or of the largest that judges each.

    Returns:
        `row` is the one that decides: of several, one that is refuted, else the one nearest to not being supported.
    """
    rows = ledger.set_index("id")
    found = [{"id": claim, **_headline(about, rows)} for claim, about in claims.items()]
    return pd.DataFrame(found, columns=list(COLUMNS))


def _headline(about: Headline, ledger: pd.DataFrame) -> dict[str, object]:
    if about.planned is not None:
        return {
            "verdict": PLANNED,
            "reason": "experiment_planned",
            "rows": " ".join(about.rows),
        }
    rows = ledger.loc[about.rows]
    verdict = _of_all(rows)
    deciding = _deciding(rows, verdict)
    same = (rows["verdict"] == verdict).all() or len(rows) == 1
    reason = {"reason": deciding["reason"], "detail": deciding["detail"]} if same else {
        "reason": "rows_differ",
        "detail": ", ".join(f"{row} {said}" for row, said in rows["verdict"].items()),
    }  # fmt: skip
    shared = {name: deciding[name] for name in ("tier", "class", "smaller") if name in deciding}
    return {"verdict": verdict, "row": deciding.name, "rows": " ".join(about.rows), **reason, **shared}


def _of_all(rows: pd.DataFrame) -> str:
    """Supported where each row is, uncorrected; refuted where one is, after Holm over the rows; else inconclusive.

    A question of several rows is answered where each is, else open.
    A conjunction with a row that was not judged takes that row's verdict, unless another refutes it.
    """
    verdicts = list(rows["verdict"])
    if len(verdicts) == 1 or set(verdicts) in ({v} for v in VERDICTS if v != REFUTED):
        return str(verdicts[0])
    if set(verdicts) <= {ANSWERED, OPEN}:
        return OPEN
    # Every row is one of the family, judged or not.
    p = holm(rows["p_against"].astype(float).fillna(1.0).to_numpy())
    exact = rows["p_against"].isna().to_numpy()  # deterministic rows have no p
    if any(v == REFUTED and (known or q < ALPHA) for v, known, q in zip(verdicts, exact, p, strict=True)):
        return REFUTED
    unjudged = [v for v in verdicts if v not in JUDGED]
    return unjudged[0] if unjudged else INCONCLUSIVE


def _deciding(rows: pd.DataFrame, verdict: str) -> pd.Series:
    """The row whose number is shown: of a supported conjunction the one nearest to not being so."""
    of_that = rows[rows["verdict"] == verdict]
    if verdict == SUPPORTED and len(of_that) > 1:
        return of_that.iloc[int(np.argmax(of_that["p_for"].fillna(-1.0)))]
    return (of_that if len(of_that) else rows[rows["verdict"] != SUPPORTED]).iloc[0]
