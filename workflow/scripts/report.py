"""Make the report from tables and figures."""

from odestudy.build import make_report, step

step(
    make_report,
    log=snakemake.log[0],
    limit_s=60 * snakemake.config["job_limit_min"],
    **snakemake.params.study,
)
