"""Make the ledger of claims and the table of jobs."""

from odestudy.build import make_ledgers, step

step(
    make_ledgers,
    log=snakemake.log[0],
    limit_s=60 * snakemake.config["job_limit_min"],
    **snakemake.params.study,
)
