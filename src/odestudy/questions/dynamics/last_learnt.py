"""How badly conditioned, or how stiff, a system may be that is still learnt: one value a seed."""

from __future__ import annotations

from typing import Any

from odestudy.runtime.store import read_metrics
from odestudy.study.load import Study

Rows = list[dict[str, Any]]


def last_learnt(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """For each way of training and seed the largest k, or damping, such that it and all smaller ones are learnt.

    What tells ways apart is what the table's summary is by. `first_lost` is the smallest that is not learnt, infinite where
    all that were tried are: the threshold lies between the two. `short_of` is the largest that was tried over the last that is
    learnt; a seed that does not learn the first has a last one of zero, which counts as a tenth of the first here. `learnt_pct` are
    the errors up to which a linear system counts as learnt; `learnt_s` is the training time at the last one, of a batch each seed's
    share.
    """
    runs: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    folder: dict[tuple[Any, ...], str] = {}
    by = definition["summary"]["by"]
    for job in study.jobs_of(question, definition["experiments"]):
        axes = {name: job.axis(name) for name in by if name in job.spec}
        for row in with_own_time(read_metrics(job.metrics(study.results))["rows"]["runs"]):
            level = row.get("k", row.get("mu"))
            if level is None:  # no axis of stiffness, or a job that ended before it came to any
                continue
            key = (*(axes | {name: row[name] for name in by if name in row}).items(), row["seed"])
            runs.setdefault(key, []).append(row | {"level": level, "within_pct": job.spec.get("learnt_pct")})
            folder.setdefault(key, job.folder)
    return [
        {**dict(how), "seed": seed, "status": "ok", "message": "", "job": folder[key]} | _last(found)
        for key, found in runs.items()
        for *how, seed in [key]
    ]


def with_own_time(rows: Rows) -> Rows:
    """Each row with its share of the training time, which a batch of seeds has once, on its first seed."""
    found: Rows = []
    share, left = None, 0
    for row in rows:
        if row.get("train_s") is not None:
            left = int(row.get("seeds_in_batch") or 1)
            share = row["train_s"] / left
        found.append(row | ({"train_s": share} if left > 0 else {}))
        left -= 1
    return found


def _last(rows: list[dict[str, Any]]) -> dict[str, Any]:
    rows = sorted(rows, key=lambda row: row["level"])
    learnt: list[dict[str, Any]] = []
    for row in rows:
        if not row["learnt"]:
            break
        learnt.append(row)
    tried = rows[-1]["level"]
    lost = rows[len(learnt)]["level"] if len(learnt) < len(rows) else float("inf")
    rule = {} if (within := rows[0].get("within_pct")) is None else {"learnt_pct": within}
    if not learnt:
        return {
            "last_k": 0.0,
            "first_lost": lost,
            "tried_k": tried,
            "short_of": 10 * tried / rows[0]["level"],
        } | rule
    last = learnt[-1]
    return (
        {"last_k": last["level"], "first_lost": lost, "tried_k": tried, "short_of": tried / last["level"]}
        | rule
        | ({"learnt_s": last["train_s"]} if last.get("train_s") is not None else {})
    )
