@lru_cache(maxsize=None)
def expected_of(tier):
    return expectations(study(tier))


def asked(tier, jobs, what):
    """A resource function: what a batch asks a batch system for, `memory_mib` or `minutes`."""
    return lambda wildcards, attempt: getattr(
        request_of(jobs, expected_of(tier), study(tier).settings["assumed"]), what
    )(attempt)


@lru_cache(maxsize=None)
def rules_of(tier):
    return rules_of_jobs(study(tier))


def orders(tier, jobs):
    """A params function: what a script needs to compute jobs."""
    found, rules = study(tier), rules_of(tier)
    return lambda wildcards: [
        {
            "spec": job.spec,
            "code": found.code_of(job),
            "rules": rules.get(job.folder, {}),
            "metrics": str(job.metrics(Path("results") / tier)),
        }
        for job in jobs
    ]


# Snakemake copies `update` outputs aside before a batch and, where it fails, copies them back: over what the batch has
# computed since, and byte by byte. Ours are whole at any moment, so nothing is copied and what is there stays.
for kind in vars(snakemake.persistence).values():
    if isinstance(kind, type) and "backup_output" in vars(kind):
        kind.backup_output = lambda self, path: None
        kind.restore_output = lambda self, path: False


# What each batch writes stays where Snakemake would remove it, because the batch was killed, failed or is no longer the
# same (`update`, and keep-incomplete in the profile): each job's files are written whole or not at all, and a batch
# skips what is there and current. `done` is removed before a batch starts and is there only if all of it went well.
# A batch that measures time takes all cores, so that nothing runs beside it. Torch's threads are in the specification;
# `threads` here only tells the scheduler. What a tier names under `first` has priority.
for tier in tiers_with_jobs():
    for batch in study(tier).batches:

        rule:
            name:
                f"{tier}_{batch.name}"
            output:
                update(batch.outputs(Path("results") / tier)),
                done=touch(f"results/{tier}/done/{batch.name}"),
            log:
                f"results/{tier}/logs/runs/{batch.name}.log",
            benchmark:
                f"results/{tier}/benchmarks/{batch.name}.tsv"
            priority: batch.priority
            conda:
                "../envs/jobs.yml"
            threads: workflow.resource_settings.cores or 1 if batch.timed else batch.threads
            resources:
                gpu=gpu_places(batch),
                mem_mb=asked(tier, batch.jobs, "memory_mib"),
                runtime=asked(tier, batch.jobs, "minutes"),
                slurm_extra="--exclusive" if batch.timed else "",
            params:
                jobs=orders(tier, batch.jobs),
            script:
                "../scripts/jobs.py"
