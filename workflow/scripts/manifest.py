"""Write the sums of all files of a published folder."""

from odestudy.build import make_manifest, step

step(
    make_manifest,
    log=snakemake.log[0],
    limit_s=60 * snakemake.config["job_limit_min"],
    **snakemake.params.study,
)
