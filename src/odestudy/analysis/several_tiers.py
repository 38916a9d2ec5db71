"""One ledger from several tiers: each row by the largest tier that finished all of its planned seeds."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from odestudy.analysis.verdicts import JUDGED

AGREE, DIFFER = "agree", "differ"


def one_ledger(ledgers: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of several ledgers, with a column `smaller`: whether smaller tiers that judged a row agree or differ.

    Args:
        ledgers: by tier, the smallest first. A row that none has judged to the end is that of the largest tier.
    """
    by_row = [ledger.set_index("id") for ledger in ledgers]
    ids = list(dict.fromkeys(row for ledger in by_row for row in ledger.index))
    chosen = [_chosen(row, [ledger.loc[row] for ledger in by_row if row in ledger.index]) for row in ids]
    return pd.DataFrame(chosen).reset_index(drop=True)


def finished(row: pd.Series) -> bool:
    """Whether a tier judged a row on all the seeds that it plans."""
    return row["verdict"] in JUDGED and row["reason"] != "seeds_missing"


def _chosen(name: str, rows: list[pd.Series]) -> dict[str, object]:
    judged = [row for row in rows if finished(row)]
    best = judged[-1] if judged else rows[-1]
    others = {row["verdict"] for row in judged[:-1]}
    smaller = "" if not others else AGREE if others == {best["verdict"]} else DIFFER
    return {"id": name, **{str(k): v for k, v in best.items()}, "smaller": smaller}
