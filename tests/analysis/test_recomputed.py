"""Rows of the published ledger computed again from the metrics by other code: numpy and scipy, nothing of analysis."""

from __future__ import annotations

import json
import lzma
import math

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from odestudy.study import load_study

FOLDER = "results/published/quick-cpu"


@pytest.fixture(scope="module")
def study(root):
    return load_study(root, "quick")


@pytest.fixture(scope="module")
def metrics(root):
    found = {}
    for path in (root / FOLDER / "metrics").glob("*.json.xz"):
        found |= json.loads(lzma.decompress(path.read_bytes()))
    return found


@pytest.fixture(scope="module")
def published(root):
    return pd.read_csv(root / FOLDER / "ledger.csv").set_index("id")


def records(study, metrics, claim):
    """All rows that the jobs of the claim's table stored, with their axes and the name of their job."""
    question, definition = study.tables[claim["estimand"]["table"]]
    for folder in {j.folder for e in definition["experiments"] for j in study.jobs_by.get((question, e), [])}:
        if folder in metrics:
            spec = {
                k: v.get("name") if isinstance(v, dict) else v for k, v in metrics[folder]["spec"].items()
            }
            spec = {k: v for k, v in spec.items() if not isinstance(v, list)}
            for row in metrics[folder]["rows"].get(definition["rows"], []):
                yield spec | row | {"job": folder}


def chosen(rows, where):
    for name, wanted in where.items():
        if wanted not in ("first", "last"):
            allowed = wanted if isinstance(wanted, list) else [wanted]
            rows = [r for r in rows if r.get(name) in allowed]
    for name, wanted in where.items():
        if wanted in ("first", "last"):
            end = (min if wanted == "first" else max)(r[name] for r in rows)
            rows = [r for r in rows if r[name] == end]
    return rows


def by_seed(rows, value):
    found = {}
    for row in rows:
        found.setdefault(row["seed"], []).append(value(row))
    return {seed: np.array(values, dtype=float) for seed, values in sorted(found.items())}


def student(x, level, quantum=0.0):
    x = np.asarray(x, dtype=float)
    half = (
        stats.t.ppf((1 + level) / 2, len(x) - 1)
        * max(x.std(ddof=1), quantum / math.sqrt(12))
        / math.sqrt(len(x))
    )
    return x.mean(), x.mean() - half, x.mean() + half


def exponent(rows, over, column):
    """alpha of a + b N^alpha by variable projection."""
    n, y = (np.array([r[k] for r in rows], dtype=float) for k in (over, column))

    def misfit(alpha):
        design = np.stack([np.ones_like(n), n**alpha], 1)
        return float(np.sum((design @ np.linalg.lstsq(design, y, rcond=None)[0] - y) ** 2))

    start = min(np.linspace(0.1, 4, 200), key=misfit)
    return optimize.minimize_scalar(misfit, (start - 0.02, start, start + 0.02), options={"xtol": 1e-12}).x


def again(claim, rows, about):
    """(estimate, low, high) of a row, or None where its statistic is not computed here."""
    e = claim["estimand"]
    column, how, level = e["column"], e["statistic"], 0.9 if "rule" in claim else 0.95
    sides = [chosen(rows, e.get("where", {}))]
    if "against" in e:
        sides.append(chosen(rows, e.get("where", {}) | e["against"]))
    low, high = about.get("range", (-math.inf, math.inf))
    log = how == "ratio" or e.get("scale") == "log"
    if how in ("mean", "ratio", "difference"):
        divided = (lambda r: r[column] / r[e["denominator"]]) if "denominator" in e else (lambda r: r[column])
        found = [by_seed(side, divided) for side in sides]
        means = [[(np.log(v) if log else v).mean() for v in side.values()] for side in found]
        x = np.array(means[0]) - (np.array(means[1]) if len(means) > 1 else 0)
        if "quantum" in about:
            return None
        ends = student(x, level)
        ends = tuple(np.exp(ends)) if log else ends
        return (ends[0], max(ends[1], low), min(ends[2], high)) if how == "mean" else ends
    if how == "rate":
        asked = e.get("success", {})

        def good(r):
            value = r.get(column, math.nan) if asked else 0.0
            value = math.nan if value is None else value
            inside = not asked or asked.get("at_least", -math.inf) <= value <= asked.get("at_most", math.inf)
            return r.get("status", "ok") == "ok" and inside

        values = [v.all() for v in by_seed(sides[0], good).values()]
        test = stats.binomtest(int(np.sum(values)), len(values)).proportion_ci(level, "exact")
        return float(np.mean(values)), test.low, test.high
    if how == "value":
        x = np.array([r[column] for r in sides[0]], dtype=float)
        log = log and (x > 0).all()
        return (math.exp(np.log(x).mean()) if log else x.mean()), x.min(), x.max()
    if how == "ratio_value":
        found = sides[0][0][column] / sides[1][0][column]
        return found, found, found
    if how in ("slope", "exponent"):
        groups = {}
        for r in sides[0]:
            if r.get(column) is not None and not (column == "wall_s" and r.get("noisy")):
                groups.setdefault((r["job"] if how == "slope" else "", r["seed"]), []).append(r)
        if how == "slope":
            x = [
                np.polyfit(np.log([r[e["over"]] for r in g]), np.log([r[column] for r in g]), 1)[0]
                for g in groups.values()
            ]
        else:
            x = [exponent(g, e["over"], column) for g in groups.values()]
        return student(x, level) if len(x) > 1 else (x[0], x[0], x[0])
    return None


def test_rows_of_all_kinds_come_out_the_same_by_other_code(study, metrics, published):
    compared = {}
    for claim in study.claims:
        if "estimand" not in claim or claim["id"] not in published.index:
            continue
        there = published.loc[claim["id"]]
        question, definition = study.tables[claim["estimand"]["table"]]
        if (
            np.isnan(there["estimate"])
            or "derive" in definition
            or (there["failed"] and claim["estimand"]["statistic"] != "rate")
        ):
            continue
        about = study.questions[question]["columns"][claim["estimand"]["column"]]
        rows = list(records(study, metrics, claim))
        if not chosen(rows, claim["estimand"].get("where", {})):
            continue  # published before the row's experiment was there
        found = again(claim, rows, about)
        if found is not None:
            assert found == pytest.approx(tuple(there[["estimate", "low", "high"]]), rel=1e-6, abs=1e-12), (
                claim["id"]
            )
            compared.setdefault(claim["estimand"]["statistic"], []).append(claim["id"])
    assert sum(map(len, compared.values())) >= 20
    assert {"mean", "ratio", "difference", "rate", "value", "ratio_value", "slope", "exponent"} <= set(
        compared
    )
