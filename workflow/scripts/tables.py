"""Make all tables of one question."""

from odestudy.build import make_tables, step

step(
    make_tables,
    snakemake.params.question,
    log=snakemake.log[0],
    limit_s=60 * snakemake.config["job_limit_min"],
    **snakemake.params.study,
)
