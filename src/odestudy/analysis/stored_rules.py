"""Which rules the jobs behind a row of the ledger were run to be judged by."""

from __future__ import annotations

from odestudy.runtime.store import read_metrics
from odestudy.study.load import Study
from odestudy.study.planned import rules_of_jobs


def stored_rules(study: Study) -> dict[str, set[str]]:
    """Row -> the hashes that the metrics of its jobs hold; "" for jobs that were run before the row was there.

    Metrics that hold no rules at all say nothing.
    """
    found: dict[str, set[str]] = {}
    for folder, rows in rules_of_jobs(study).items():
        path = study.jobs[folder].metrics(study.results)
        if path.is_file():
            held = read_metrics(path).get("rules")
            if held is not None:
                for row in rows:
                    found.setdefault(row, set()).add(held.get(row, ""))
    return found
