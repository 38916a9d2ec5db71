"""Every experiment of the full tier, which holds all that the others have, runs: its jobs with budgets cut."""

from __future__ import annotations

from itertools import count

import pytest

from odestudy.analysis.tables import table_columns
from odestudy.runtime.registry import find_task
from odestudy.study import load_study

CUTS = {
    "iterations": 2, "baseline_iterations": 2, "game_iterations": 2, "samples": 8, "batch": 8, "width": 4,
    "grid_points": 10, "baseline_samples": 300, "planar_layers": 2, "repeats": 1, "train_steps": 1, "eval_steps": 1,
    "integral_steps": [1, 2], "dimensions": [2, 4, 8, 16], "halvings": 1, "estimate_steps": 1,
}  # fmt: skip


def kind(value):
    """What a value of an axis is for the code: of an entry its kind, where it has one."""
    return str(value.get("kind", value["name"]) if isinstance(value, dict) else value)


def representatives(study):
    """Jobs that together have every value of every axis of every experiment."""
    for (question, experiment), jobs in study.jobs_by.items():
        axes = study.questions[question]["experiments"][experiment].get("grid", {})
        seen = set()
        for job in jobs:
            values = {(axis, kind(job.spec[axis])) for axis in axes}
            if not values <= seen:
                seen |= values
                yield experiment, job


def cut(spec):
    small = {key: value if key not in spec else CUTS[key] for key, value in CUTS.items() if key in spec}
    small |= {"seeds": spec["seeds"][:1], "device": "cpu"}
    if "picture_points" in spec:
        small["picture_points"] = min(spec["picture_points"], 8)
    if "methods" in spec:
        small["methods"] = dict.fromkeys(spec["methods"], 1)
    if "coarse_steps" in spec:
        small["coarse_steps"] = spec["coarse_steps"][:2]
    if "d" in spec:
        small["d"] = min(spec["d"], 4)
    return {**spec, **small}


def test_every_experiment_of_the_full_tier_runs_with_its_budgets_cut(root, monkeypatch):
    monkeypatch.setattr("odestudy.densities.models.estimates.HELD_OUT", 50)
    monkeypatch.setattr("odestudy.densities.pictures.SHOWN", 20)
    study = load_study(root, "full", {"questions": "density"})
    tables = study.questions["density"]["tables"]
    ran = count()
    for experiment, job in representatives(study):
        outcome = find_task(job.task)(cut(job.spec), "cpu")
        assert outcome.rows["runs"], job.folder
        for name, definition in tables.items():
            if experiment in definition["experiments"]:
                for row in outcome.rows.get(definition["rows"], []):
                    assert set(row) <= set(table_columns(study, "density", name)), job.folder
        next(ran)
    assert next(ran) > 30


@pytest.mark.parametrize("tier", ["quick", "cpu", "full"])
def test_the_jobs_of_a_large_tier_are_small_enough_to_be_resumed(root, tier):
    study = load_study(root, tier, {"questions": "density"})
    for job in study.jobs.values():
        trained = (
            job.spec.get("iterations", 0) * len(job.spec["seeds"]) * len(job.spec.get("coarse_steps", [1]))
        )
        assert trained <= 120_000, job.folder
