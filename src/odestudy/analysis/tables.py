"""From metrics to tables: one row a run, and summaries over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from odestudy.analysis.derive import derived_rows
from odestudy.analysis.selecting import is_ok
from odestudy.errors import StudyError
from odestudy.runtime.moved import same_code
from odestudy.runtime.store import read_metrics
from odestudy.statistics.estimates import rate_estimate, t_estimate
from odestudy.statistics.region import FEWEST_SEEDS, Region
from odestudy.study.consistency import IDENTITY
from odestudy.study.load import Study
from odestudy.study.tiers import tier_of


def table_axes(study: Study, question: str, experiments: Sequence[str]) -> list[str]:
    """The axes of the grids of some experiments, in order."""
    axes: dict[str, None] = {}
    for experiment in experiments:
        axes |= dict.fromkeys(study.questions[question]["experiments"][experiment].get("grid", {}))
    return list(axes)


def table_columns(study: Study, question: str, name: str) -> list[str]:
    """The columns of a table: axes, seed, the question's own, then what identifies the run."""
    definition = study.questions[question]["tables"][name]
    own = list(study.questions[question]["columns"])
    axes = table_axes(study, question, definition["experiments"])
    return list(dict.fromkeys([*axes, "seed", *own, *IDENTITY[1:]]))


def long_table(study: Study, name: str) -> pd.DataFrame:
    """All rows of one table, in the order of the job list (not of what lies on disk).

    Raises:
        StudyError: a row has a column that the question does not declare.
    """
    question, definition = study.tables[name]
    axes = table_axes(study, question, definition["experiments"])
    allowed = table_columns(study, question, name)
    rows = (_derived if "derive" in definition else _stored)(study, question, definition, axes)
    for row in rows:
        unknown = set(row) - set(allowed)
        if unknown:
            raise StudyError(
                f"{row['job']}: column {sorted(unknown)[0]!r} is not declared in config/questions/{question}.yaml"
            )
    table = pd.DataFrame(rows, columns=allowed)
    always = {*axes, *IDENTITY, *definition["summary"]["by"]}
    keep = [c for c in allowed if c in always or table[c].notna().any()]
    return table[keep]


def _stored(study: Study, question: str, definition: dict[str, Any], axes: list[str]) -> list[dict[str, Any]]:
    """The rows that the jobs wrote, with their axes and what else of the jobs the summary is by."""
    rows = []
    by = [name for name in definition["summary"]["by"] if name not in axes]
    for job in study.jobs_of(question, definition["experiments"]):
        metrics = read_metrics(job.metrics(study.results))
        fixed = {axis: job.axis(axis) for axis in axes if axis in job.spec}
        fixed |= {name: job.spec[name] for name in by if not isinstance(job.spec.get(name, []), list)}
        fixed |= {"job": job.folder, "stale": not same_code(metrics["code"], study.code_of(job))}
        rows += [fixed | row for row in metrics["rows"].get(definition["rows"], [])]
    return rows


def _derived(study: Study, question: str, definition: dict[str, Any], _: list[str]) -> list[dict[str, Any]]:
    """Rows made of several runs; stale where any of these is."""
    jobs = study.jobs_of(question, definition["experiments"])
    stale = not all(
        same_code(read_metrics(job.metrics(study.results))["code"], study.code_of(job)) for job in jobs
    )
    return [{**row, "stale": stale} for row in derived_rows(study, question, definition)]


def summary_table(table: pd.DataFrame, definition: dict[str, Any], columns: dict[str, Any]) -> pd.DataFrame:
    """For each group: runs, runs that ended ok, and over these for each column mean, low and high of the 95 % interval.

    Below five seeds, and where a seed has several rows, the interval is left out. A column of scale log gets its
    geometric mean, one of yes and no its share with the exact interval, one with a `range` an interval within it; equal
    values of a measurement whose quantum is not known get none. Where a
    run that ended ok lacks a value (a forecast that diverged), `<column>_n` counts those that have one. A single fit that
    brought its own interval, as `<column>_low` and `<column>_high`, keeps it.
    """
    wanted = definition["summary"]
    rows = []
    for key, group in table.groupby(wanted["by"], sort=False, dropna=False):
        row = dict(zip(wanted["by"], key if isinstance(key, tuple) else (key,), strict=True))
        fine = group[is_ok(group)]
        row |= {"runs": len(group), "ok": len(fine)}
        for column in wanted["columns"]:
            there = fine[column].dropna() if column in fine else pd.Series(dtype=float)
            values = there.astype(float)
            seeds = fine["seed"].reindex(values.index) if "seed" in fine else None
            yes_or_no = column in fine and _are_yes_or_no(there)
            row |= _mean_interval(column, values, columns.get(column, {}), seeds, yes_or_no=yes_or_no)
            row |= _own_interval(column, fine, values.index)
            row[f"{column}_n"] = len(values)
        rows.append(row)
    partial = [c for c in wanted["columns"] if any(0 < row[f"{c}_n"] < row["ok"] for row in rows)]
    measures = [name for c in wanted["columns"] for name in (c, f"{c}_low", f"{c}_high")]
    counts = [f"{c}_n" for c in partial]
    return pd.DataFrame(rows, columns=[*wanted["by"], "runs", "ok", *measures, *counts])


def _mean_interval(
    column: str, values: pd.Series, about: dict[str, Any], seeds: pd.Series | None, *, yes_or_no: bool
) -> dict[str, float]:
    log = about.get("scale") == "log" and bool((values > 0).all())
    names = (column, f"{column}_low", f"{column}_high")
    if len(values) >= FEWEST_SEEDS and seeds is not None and seeds.is_unique:
        if yes_or_no:
            found = rate_estimate(int(values.sum()), len(values), Region())
        else:
            try:
                quantum = about.get("quantum", 0.0)
                found = t_estimate(
                    values.tolist(), Region(), log=log, within=about.get("range"), quantum=quantum
                )
            except ValueError:  # equal values, or not finite ones
                return dict(zip(names, (float(values.mean()), np.nan, np.nan), strict=True))
        return dict(zip(names, (found.value, found.low, found.high), strict=True))
    mean = np.nan if values.empty else float(np.exp(np.log(values).mean()) if log else values.mean())
    return dict(zip(names, (mean, np.nan, np.nan), strict=True))


def _are_yes_or_no(values: pd.Series) -> bool:
    if values.dtype.kind in "iuf":  # numbers, which need not be looked at one by one
        return values.empty
    return all(isinstance(v, bool | np.bool_) for v in values)


def _own_interval(column: str, fine: pd.DataFrame, there: pd.Index) -> dict[str, float]:
    names = [name for name in (f"{column}_low", f"{column}_high") if name in fine]
    if not names:
        return {}
    fits = fine.loc[there, [column, *names]] if column in fine else fine.loc[there]
    one = len(fits.drop_duplicates()) == 1
    return {name: float(fits[name].iloc[0]) for name in names} if one else {}


def jobs_table(study: Study) -> pd.DataFrame:
    """Every job that this run of the study consists of, with its provenance; missing ones say so."""
    rows = []
    for (question, experiment), jobs in study.jobs_by.items():
        for job in jobs:
            row: dict[str, Any] = {"question": question, "experiment": experiment, "job": job.folder}
            row |= {"tier": tier_of(study.lent.get((question, experiment), study.run))}
            row |= {"task": job.task, "seeds": " ".join(str(s) for s in job.spec["seeds"])}
            path = job.metrics(study.results)
            if path.is_file():
                metrics = read_metrics(path)
                statuses = [r.get("status", "ok") for r in metrics["rows"].get("runs", [])]
                source = metrics["provenance"]
                row |= {"rows": len(statuses), "ok": statuses.count("ok"), "ran": True}
                row |= {"stale": not same_code(metrics["code"], study.code_of(job))}
                keys = (
                    "device",
                    "device_name",
                    "cores",
                    "memory_gib",
                    "system",
                    "blas",
                    "threads",
                    "dtype",
                    "wall_s",
                    "process_peak_mib",
                    "cuda_peak_mib",
                )
                row |= {k: source.get(k) for k in (*keys, "commit", "clean")}
                if "nondeterministic" in source:
                    row |= {"nondeterministic": " ".join(source["nondeterministic"]) or "none"}
                row |= {f"{k} version": v for k, v in source["versions"].items()}
            else:
                row |= {"ran": False}
            rows.append(row)
    return pd.DataFrame(rows)


def make_summary(study: Study, name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The summary that a question's YAML asks for."""
    question, definition = study.tables[name]
    return summary_table(table, definition, study.questions[question]["columns"])
