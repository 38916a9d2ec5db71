"""What a tier names under `first` has priority, wave after wave and seed by seed."""

from __future__ import annotations

import pytest

from odestudy.errors import ConfigError
from odestudy.study import load_study
from odestudy.study.jobs import Job
from odestudy.study.order import priorities_of


def jobs(arms, seeds):
    specs = [
        {"task": "a.b", "arm": {"name": arm}, "h": h, "seeds": [s]}
        for arm in arms
        for h in (1, 2)
        for s in seeds
    ]
    return [Job(spec, f"{spec['arm']['name']}-{spec['h']}-{spec['seeds'][0]}") for spec in specs]


def order(jobs_by, first):
    """The labels of what has priority, the highest first."""
    found = priorities_of(jobs_by, first)
    labels = {job.folder: job.label for some in jobs_by.values() for job in some}
    assert sorted(found.values()) == list(range(1, len(found) + 1))
    return [labels[folder] for folder in sorted(found, key=lambda folder: -found[folder])]


def test_a_wave_goes_seed_by_seed_and_the_next_one_follows_all_of_it():
    jobs_by = {("q", "train"): jobs("ab", (7, 3)), ("q", "other"): jobs("c", (5,))}
    first = [
        [{"question": "q", "experiment": "train", "where": {"arm": "b", "h": 1}},
         {"question": "q", "experiment": "train", "where": {"arm": "a", "h": 1}}],
        [{"question": "q", "experiment": "other"}],
    ]  # fmt: skip
    assert order(jobs_by, first) == ["b-1-7", "a-1-7", "b-1-3", "a-1-3", "c-1-5", "c-2-5"]


def test_what_a_run_leaves_out_leaves_the_rest_in_order():
    jobs_by = {("q", "train"): jobs("a", (7, 3))}
    first = [
        [{"question": "q", "experiment": "gone"}],
        [{"question": "q", "experiment": "train", "where": {"h": 2}}],
    ]
    assert order(jobs_by, first) == ["a-2-7", "a-2-3"]


def test_the_full_tier_begins_with_step_times_then_the_longest_trainings_and_names_no_one_in_vain(root):
    study = load_study(root, "full", {"questions": "images", "seeds": 5})  # as benchmarks/gpu.sh has it
    batches = sorted((b for b in study.batches if b.priority), key=lambda batch: -batch.priority)
    named = [job for batch in batches for job in batch.jobs]
    assert {job.task for job in batches[0].jobs} == {"images_cost.step"}
    assert {job.spec["dataset"] for job in named} == {"mnist"}
    kinds = [
        (job.spec["arm"]["name"], job.spec["epochs"], job.spec["seeds"][0])
        for job in named
        if job.task != "images_cost.step"
    ]
    assert [kind[:2] for kind in kinds[:5]] == [("odenet_adjoint", 20)] * 5
    assert [kind[:2] for kind in kinds[5:15]] == [("odenet_adjoint", 10), ("resnet6", 20)] * 5
    assert [seed for *_, seed in kinds[5:9]] == [200] * 2 + [201] * 2
    assert [kind[:2] for kind in kinds[15:20]] == [("odenet_adjoint", 5)] * 5
    points = [point for wave in study.tier["first"] for point in wave]
    assert all(priorities_of(study.jobs_by, [[point]]) for point in points)


def test_a_training_that_may_share_a_gpu_measures_no_time(root):
    study = load_study(root, "full", {"questions": "images"})
    assert not any(b.timed for b in study.batches if b.jobs[0].task == "images_train.train")
    assert all(b.timed for b in study.batches if b.jobs[0].task == "images_cost.step")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"question": "image"}, "first.0.0.question: unknown question 'image'; allowed: density, dynamics"),
        (
            {"experiment": "trains"},
            "first.0.0.experiment: unknown experiment 'trains'; allowed: budgets, ",
        ),
        ({"where": {"arms": "x"}}, "first.0.0.where.arms: unknown axis 'arms'; allowed: arm, dataset"),
    ],
)
def test_a_mistyped_name_is_refused_with_its_place(edit, change, said):
    point = {"question": "images", "experiment": "train", **change}
    folder = edit("config/tiers/smoke.yaml", lambda tier: tier.update(first=[[point]]))
    with pytest.raises(ConfigError) as refused:
        load_study(folder, "smoke")
    assert f"config/tiers/smoke.yaml: {said}" in str(refused.value)
