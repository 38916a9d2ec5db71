"""Draw the moving picture of one figure."""

from pathlib import Path

from odestudy.logged import logged
from odestudy.plan import load_study
from odestudy.present.figures.make import make_animation

with logged(snakemake.log[0]):
    study = load_study(Path.cwd(), snakemake.wildcards.run, snakemake.params.overrides)
    tables = [Path(path) for path in snakemake.input.tables]
    make_animation(study, snakemake.wildcards.figure, tables, Path(snakemake.output[0]))
