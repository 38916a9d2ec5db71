def job_of(wildcards):
    return study(wildcards.tier).jobs[f"{wildcards.module}/{wildcards.job}"]


def stale_mark(wildcards):
    """A mark to be made anew, and so newer than the metrics, where these come from other code or are damaged.

    Snakemake's own memory of parameters does the same, but only in the folder where the metrics were computed.
    """
    job = job_of(wildcards)
    metrics = job.metrics(ROOT / "results" / wildcards.tier)
    if not metrics.is_file() or is_current(metrics, study(wildcards.tier).code_of(job)):
        return []
    return [f"results/{wildcards.tier}/stale/{wildcards.module}/{wildcards.job}"]


rule stale:
    output:
        temp(touch("results/{tier}/stale/{module}/{job}")),
    log:
        "results/{tier}/logs/stale/{module}/{job}.log",
    wildcard_constraints:
        module=r"[a-z_]+",
        job=r"[^/]+",


# One job of the study: a specification becomes metrics.json, arrays beside it.
# Torch's threads are in the specification; `threads` here only tells the scheduler. A job that measures time takes
# all cores, so that nothing runs beside it.
rule job:
    input:
        stale_mark,
    output:
        metrics="results/{tier}/runs/{module}/{job}/metrics.json",
    log:
        "results/{tier}/logs/runs/{module}/{job}.log",
    wildcard_constraints:
        module=r"[a-z_]+",
        job=r"[^/]+",
    threads:
        lambda wildcards: (
            workflow.cores or 1 if job_of(wildcards).spec.get("timed") else job_of(wildcards).spec["threads"]
        )
    resources:
        gpu=lambda wildcards: 0 if job_of(wildcards).spec["device"] == "cpu" else gpus_of_a_job(),
    params:
        spec=lambda wildcards: job_of(wildcards).spec,
        code=lambda wildcards: study(wildcards.tier).code_of(job_of(wildcards)),
    script:
        "../scripts/job.py"
