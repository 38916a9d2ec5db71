"""A published folder against its manifest, and its ledger against what follows from its metrics."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from odestudy import build
from odestudy.analysis.csvs import read_csv
from odestudy.publication.manifest import read_manifest, sums_of
from odestudy.publication.unpack import lay_out
from odestudy.runtime.packed import read_packed
from odestudy.study.lent import tier_of_published
from odestudy.study.load import load_study

LINKED = ("config", "workflow")
EXACT = (
    "verdict", "cases", "seeds", "runs", "failed", "reason", "interval", "tier", "question", "kind", "class", "rule_changed",
)  # fmt: skip
NUMBERS = ("estimate", "low", "high", "p_for", "p_against", "spread", "seeds_needed")
RELATIVE, OF_LARGEST = 1e-6, 1e-9


def verify(root: Path, folder: Path) -> tuple[list[str], str]:
    """(problems, one line that says what was checked).

    Altered, missing and added files are found by their sums. Then the ledger is computed again from the metrics with
    this clone's code: verdicts, counts and codes have to be the same, numbers within a millionth, or a billionth of the
    largest of their column. What the claims say is not part of it.

    Raises:
        DataError: the folder has no manifest or is not named as one is, or a file of it is damaged.
    """
    published, now = read_manifest(folder), sums_of(folder)
    tier_of_published(folder)
    problems = [f"altered: {name}" for name in published if name in now and now[name] != published[name]]
    problems += [f"missing: {name}" for name in published if name not in now]
    problems += [f"not in the manifest: {name}" for name in now if name not in published]
    if problems:
        return problems, f"{len(published)} files have a sum; {len(problems)} are not as they were published."
    with tempfile.TemporaryDirectory() as scratch:
        found = _again(root, folder.resolve(), Path(scratch))
    there = read_csv(folder / "ledger.csv")
    problems = differences(there, found)
    said = f"{len(published)} files are as published, {len(there)} rows of the ledger"
    return (
        problems,
        f"{said} follow from the metrics." if not problems else f"{said}: {len(problems)} differ.",
    )


def differences(published: pd.DataFrame, again: pd.DataFrame) -> list[str]:
    """A line for each cell of a published ledger that is not what the metrics give, and for each row too many or few."""
    published, again = published.set_index("id"), again.set_index("id")
    lines = [
        f"ledger.csv: {row}: does not follow from the metrics"
        for row in published.index.difference(again.index)
    ]
    lines += [f"ledger.csv: {row}: missing" for row in again.index.difference(published.index)]
    both = [row for row in published.index if row in again.index]
    for column in (*EXACT, *NUMBERS):
        a, b = published.loc[both, column], again.loc[both, column]
        same = _close(a, b) if column in NUMBERS else a.fillna("").astype(str) == b.fillna("").astype(str)
        for row in a.index[~same]:
            lines.append(f"ledger.csv: {row}, {column}: published {a[row]}, the metrics give {b[row]}")
    return lines


def _close(a: pd.Series, b: pd.Series) -> np.ndarray:
    """Where two columns of numbers are the same but for the last digits, which differ between processors."""
    x, y = a.to_numpy(dtype=float), b.to_numpy(dtype=float)
    finite = np.abs(np.concatenate([x[np.isfinite(x)], y[np.isfinite(y)]]))
    return np.isclose(x, y, rtol=RELATIVE, atol=OF_LARGEST * finite.max(initial=0.0), equal_nan=True)


def _again(root: Path, folder: Path, scratch: Path) -> pd.DataFrame:
    """The ledger that follows from the metrics, as a file would hold it."""
    for name in LINKED:
        (scratch / name).symlink_to(root / name)
    study = load_study(scratch, f"shown/{folder.name}")  # where no other folder lends anything
    lay_out(study.results, read_packed(folder))
    build.make_all_tables(study)
    return read_csv(study.results / "tables/ledger.csv")
