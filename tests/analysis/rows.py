"""Rows of a table of recoveries, and a row of the ledger about them, for tests to judge."""

from __future__ import annotations

import pandas as pd

FIRST = 100  # of the seeds


def seeded(study, n):
    """Every job behind the table that these tests fill has n seeds, whatever the tier says."""
    for job in study.jobs_of("dynamics", study.tables["dynamics_recovery"][1]["experiments"]):
        job.spec["seeds"] = list(range(FIRST, FIRST + n))
    return study


def recovery(errors, system="focus", arm="linear", status="ok"):
    n = len(errors)
    return pd.DataFrame(
        {
            "system": system, "arm": arm, "gradient": "backprop", "seed": range(FIRST, FIRST + n), "field_error_pct": errors,
            "status": [status] * n if isinstance(status, str) else status, "job": "j", "stale": False,
        }
    )  # fmt: skip


def claim(statistic="mean", rule=None, **changes):
    estimand = {
        "is": "an error of the field", "table": "dynamics_recovery", "column": "field_error_pct",
        "where": {"system": "focus", "arm": "linear"}, "statistic": statistic,
    }  # fmt: skip
    estimand |= changes.pop("estimand", {})
    base = {
        "id": "C14a",
        "says": "something said",
        "sources": ["T"],
        "kind": "claim",
        "class": "finding",
        "question": "dynamics",
    }
    return base | {"estimand": estimand, "rule": {"high": 5.0} if rule is None else rule} | changes
