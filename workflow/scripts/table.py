"""Write one table."""

from pathlib import Path

from odestudy.logged import logged
from odestudy.plan import load_study
from odestudy.present.tables import long_table, write_csv

with logged(snakemake.log[0]):
    study = load_study(Path.cwd(), snakemake.wildcards.run, snakemake.params.overrides)
    write_csv(long_table(study, snakemake.wildcards.table), Path(snakemake.output[0]))
