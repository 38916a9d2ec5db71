"""Draw one figure."""

from pathlib import Path

from odestudy.logged import logged
from odestudy.plan import load_study
from odestudy.present.figures.make import make_figure

with logged(snakemake.log[0]):
    study = load_study(Path.cwd(), snakemake.wildcards.run, snakemake.params.overrides)
    outputs = {kind: Path(path) for kind, path in snakemake.output.items()}
    make_figure(study, snakemake.wildcards.figure, [Path(p) for p in snakemake.input.tables], outputs)
