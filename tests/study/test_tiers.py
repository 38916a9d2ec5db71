"""Of two tiers the larger one judges, so it has to train no less."""

from __future__ import annotations

from operator import lt

from odestudy.study import load_study


def test_the_full_tier_has_no_fewer_seeds_and_iterations_than_cpu(root):
    cpu, full = (load_study(root, tier) for tier in ("cpu", "full"))
    shared = [key for key, jobs in cpu.jobs_by.items() if jobs and full.jobs_by.get(key)]
    assert len(shared) > 50
    sizes = {key: (size(full.jobs_by[key]), size(cpu.jobs_by[key])) for key in shared}
    less = {key: both for key, both in sizes.items() if any(map(lt, *both))}
    assert less == {}


def size(jobs):
    """How many seeds, and the longest training."""
    return len({seed for job in jobs for seed in job.spec["seeds"]}), max(
        job.spec.get("iterations", 0) for job in jobs
    )
