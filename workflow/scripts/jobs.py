"""Compute the jobs of one batch."""

from odestudy.runtime.batch import run_batch

run_batch(snakemake.params.jobs, snakemake.log[0], 60 * snakemake.config["job_limit_min"])
