"""Make all figures of one question."""

from odestudy.build import make_figures, step

step(
    make_figures,
    snakemake.params.question,
    log=snakemake.log[0],
    limit_s=60 * snakemake.config["job_limit_min"],
    **snakemake.params.study,
)
