"""Rows of the published ledger computed again from the metrics by other code: numpy and scipy, nothing of analysis."""

from __future__ import annotations

import json
import lzma
import math

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import optimize, stats

from odestudy.study import load_study

TIERS = ("quick", "cpu")  # what details need is in the second
AS_STORED = ("forecasts", "nets_with_images_error")  # these add a column to rows as they are stored


def published_of(root, tier):
    """The study, metrics and ledger of a published tier."""
    folder, found = root / f"results/published/{tier}-cpu", {}
    for path in (folder / "metrics").glob("*.json.xz"):
        found |= json.loads(lzma.decompress(path.read_bytes()))
    return load_study(root, tier), found, pd.read_csv(folder / "ledger.csv").set_index("id")


@pytest.fixture(scope="module")
def published(root):
    return published_of(root, "quick")[2]


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
        if rows and wanted in ("first", "last"):
            end = (min if wanted == "first" else max)(r[name] for r in rows)
            rows = [r for r in rows if r[name] == end]
    return rows


def by_seed(rows, value):
    found = {}
    for row in rows:
        found.setdefault(row["seed"], []).append(value(row))
    return {seed: np.array(values, dtype=float) for seed, values in sorted(found.items())}


def student(x, level, quantum=0.0, shared=0.0):
    x = np.asarray(x, dtype=float)
    of_seeds = max(x.std(ddof=1), quantum / math.sqrt(12)) / math.sqrt(len(x))
    error = math.hypot(of_seeds, shared)
    # Welch and Satterthwaite; the variance of what seeds share is known.
    freedom = error**4 / (of_seeds**4 / (len(x) - 1))
    half = stats.t.ppf((1 + level) / 2, freedom) * error
    return x.mean(), x.mean() - half, x.mean() + half


def of_test_images(sides):
    """The binomial error of each side's mean test error on MNIST's test images, which all seeds share."""
    errors = [np.mean([r["test_error_pct"] for r in side]) / 100 for side in sides]
    return math.hypot(*(100 * math.sqrt(p * (1 - p) / 10_000) for p in errors))


def power_fit(rows, over, column):
    """(a, b, alpha) of a + b N^alpha by variable projection."""
    n, y = (np.array([r[k] for r in rows], dtype=float) for k in (over, column))

    def linear(alpha):
        design = np.stack([np.ones_like(n), n**alpha], 1)
        return design, np.linalg.lstsq(design, y, rcond=None)[0]

    def misfit(alpha):
        design, parts = linear(alpha)
        return float(np.sum((design @ parts - y) ** 2))

    start = min(np.linspace(0.1, 4, 200), key=misfit)
    alpha = optimize.minimize_scalar(misfit, (start - 0.02, start, start + 0.02), options={"xtol": 1e-12}).x
    return *linear(alpha)[1], alpha


def median(values, level, until=None):
    """The middle value and two in order that miss the median with a probability of at most 1 - level."""
    x, y = np.sort(values), np.sort(values if until is None else until)
    n = len(x)
    r = int(stats.binom.ppf((1 - level) / 2, n, 0.5))
    middle = x[math.ceil(n / 2) - 1] if until is not None else (x[math.ceil(n / 2) - 1] + x[n // 2]) / 2
    return middle, x[r - 1], y[n - r]


def on_grid(rows):
    """Of each seed the last point of a grid that is learnt with all before it, and the first that is not."""
    found = []
    for seed in sorted({r["seed"] for r in rows}):
        points = sorted((r.get("k", r.get("mu")), bool(r["learnt"])) for r in rows if r["seed"] == seed)
        lost = next((k for k, learnt in points if not learnt), math.inf)
        last = max((k for k, _ in points if k < lost), default=0.0)
        found.append({"seed": seed, "last_k": last, "first_lost": lost})
    return found


def rounding(e, sides, x, about, below, log):
    """The step of the measurement on the scale of x; two measurements' steps add in squares."""
    q, how = about.get("quantum", 0.0), e["statistic"]
    if how == "mean":
        return max(q / math.exp(np.mean(x)), math.log(about.get("factor", 1.0))) if log else q
    if how == "difference":
        return q * math.sqrt(2)
    parts = [(r[e["column"]] for r in side) for side in sides]
    steps = [q] * len(parts)
    if "denominator" in e:
        parts.append(r[e["denominator"]] for r in sides[0])
        steps.append(below.get("quantum", 0.0))
    return math.hypot(
        *(step * np.mean([1 / v for v in part]) for step, part in zip(steps, parts, strict=True))
    )


def again(claim, rows, about, below):
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
        images = of_test_images(sides) if "shared" in e else 0.0
        ends = student(x, level, rounding(e, sides, x, about, below, log), images)
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
    if how == "threshold":
        until = about.get("until")
        found = on_grid(sides[0]) if until else sides[0]
        values = by_seed(found, lambda r: math.inf if r.get(column) is None else r[column])
        ends = [v.min() for v in by_seed(found, lambda r: r[until]).values()] if until else None
        return median(
            [np.nan_to_num(v, nan=math.inf, posinf=math.inf).min() for v in values.values()], level, ends
        )
    if how == "value":
        x = np.array([r[column] for r in sides[0]], dtype=float)
        log = log and (x > 0).all()
        return (math.exp(np.log(x).mean()) if log else x.mean()), x.min(), x.max()
    if how == "ratio_value":
        found = sides[0][0][column] / sides[1][0][column]
        return found, found, found
    if how in ("slope", "exponent", "constant_share"):
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
            fits = [power_fit(g, e["over"], column) for g in groups.values()]
            most = max(r[e["over"]] for r in sides[0])
            x = [alpha if how == "exponent" else a / (b * most**alpha) for a, b, alpha in fits]
        return student(x, level) if len(x) > 1 else (x[0], x[0], x[0])
    return None


def test_a_count_is_that_of_the_card_itself(root, published):
    card = yaml.safe_load((root / "config/sources/images.yaml").read_text())["protocol"]
    told = published.loc["C31a"]
    assert told["estimate"] == told["low"] == told["high"] == sum(bool(item["contradicts"]) for item in card)


def test_rows_of_all_kinds_come_out_the_same_by_other_code(root):
    compared = {}
    for tier in TIERS:
        for statistic, rows in compared_rows(*published_of(root, tier)).items():
            compared.setdefault(statistic, []).extend(rows)
    assert sum(map(len, compared.values())) >= 40
    assert set(compared) >= {
        "mean", "ratio", "difference", "rate", "threshold", "value", "ratio_value", "slope", "exponent", "constant_share",
    }  # fmt: skip
    assert {"C17a", "C18e", "C07c"} <= {row for rows in compared.values() for row in rows}


def compared_rows(study, metrics, published):
    """Statistic -> the rows of a ledger that come out the same."""
    compared = {}
    for claim in study.claims:
        if "estimand" not in claim or claim["id"] not in published.index:
            continue
        there = published.loc[claim["id"]]
        question, definition = study.tables[claim["estimand"]["table"]]
        if (
            np.isnan(there["estimate"])
            or definition.get("derive") not in (None, "last_learnt", *AS_STORED)
            or (there["failed"] and claim["estimand"]["statistic"] != "rate")
        ):
            continue
        columns = study.questions[question]["columns"]
        about, below = (columns.get(claim["estimand"].get(k), {}) for k in ("column", "denominator"))
        rows = list(records(study, metrics, claim))
        if not chosen(rows, claim["estimand"].get("where", {})):
            continue  # published before the row's experiment was there
        found = again(claim, rows, about, below)
        if found is not None:
            assert found == pytest.approx(tuple(there[["estimate", "low", "high"]]), rel=1e-6, abs=1e-12), (
                claim["id"]
            )
            compared.setdefault(claim["estimand"]["statistic"], []).append(claim["id"])
    return compared
