"""Render the report."""

from pathlib import Path

from odestudy.logged import logged
from odestudy.plan import load_study
from odestudy.present.report import make_report

with logged(snakemake.log[0]):
    study = load_study(Path.cwd(), snakemake.wildcards.run, snakemake.params.overrides)
    make_report(study, {kind: Path(path) for kind, path in snakemake.output.items()})
