import time


def job_of(wildcards):
    return study(wildcards.tier).jobs[f"{wildcards.module}/{wildcards.job}"]


def request_of(wildcards):
    return requests_of(wildcards.tier)[f"{wildcards.module}/{wildcards.job}"]


def job_request(wildcards):
    """What odestudy.steps.take is to do; what measures time or memory gets a process of its own from the start."""
    found, job = study(wildcards.tier), job_of(wildcards)
    return json.dumps(
        {
            "step": "job",
            "spec": job.spec,
            "code": found.code_of(job),
            "metrics": str(job.metrics(Path("results") / found.run)),
            "fresh": bool(job.spec.get("timed")) or job.spec["threads"] != 1,
        }
    )


def stale_mark(wildcards):
    """A file newer than the metrics, where these come from other code or are damaged: then the job runs again.

    Snakemake's own memory of parameters does the same, but only in the folder where the metrics were computed. The
    mark is no rule's output, since Snakemake would not make what only an up-to-date file needs.
    """
    job = job_of(wildcards)
    metrics = job.metrics(ROOT / "results" / wildcards.tier)
    if not metrics.is_file() or is_current(metrics, study(wildcards.tier).code_of(job)):
        return []
    mark = ROOT / "results" / wildcards.tier / "stale" / wildcards.module / wildcards.job
    mark.parent.mkdir(parents=True, exist_ok=True)
    if not mark.is_file() or mark.stat().st_mtime_ns <= metrics.stat().st_mtime_ns:
        mark.write_text(str(time.time_ns()))  # new content: Snakemake takes equal small files for unchanged
    return [str(mark.relative_to(ROOT))]


# One job of the study: a specification becomes metrics.json, arrays beside it.
# Torch's threads are in the specification; `threads` here only tells the scheduler. A job that measures time takes
# all cores, so that nothing runs beside it. Metrics are written whole or not at all; `update` keeps Snakemake from
# deleting them where it was killed after they were written and before it took note.
rule job:
    input:
        stale_mark,
    output:
        metrics=update("results/{tier}/runs/{module}/{job}/metrics.json"),
    log:
        "results/{tier}/logs/runs/{module}/{job}.log",
    wildcard_constraints:
        module=r"[a-z_]+",
        job=r"[^/]+",
    threads:
        lambda wildcards: (
            workflow.resource_settings.cores or 1
            if job_of(wildcards).spec.get("timed")
            else job_of(wildcards).spec["threads"]
        )
    resources:
        gpu=lambda wildcards: 0 if job_of(wildcards).spec["device"] == "cpu" else gpus_of_a_job(),
        mem_mb=lambda wildcards, attempt: request_of(wildcards).memory_mib(attempt),
        runtime=lambda wildcards, attempt: request_of(wildcards).minutes(attempt),
        slurm_extra=lambda wildcards: "--exclusive" if job_of(wildcards).spec.get("timed") else "",
    params:
        request=job_request,
    shell:
        STEP
