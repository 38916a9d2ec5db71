"""Write means and intervals over seeds."""

from pathlib import Path

from odestudy.logged import logged
from odestudy.plan import load_study
from odestudy.present.tables import make_summary, read_csv, write_csv

with logged(snakemake.log[0]):
    study = load_study(Path.cwd(), snakemake.wildcards.run, snakemake.params.overrides)
    table = read_csv(Path(snakemake.input[0]))
    write_csv(make_summary(study, snakemake.wildcards.table, table), Path(snakemake.output[0]))
