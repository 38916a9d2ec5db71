"""Compute one job of the study."""

from pathlib import Path

from odestudy.logged import logged
from odestudy.run import run_job

with logged(snakemake.log[0]):
    run_job(
        snakemake.params.spec, Path(snakemake.output.metrics), code=snakemake.params.code, root=Path.cwd()
    )
