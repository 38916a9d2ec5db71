"""Write one table and its summary over seeds."""

from pathlib import Path

from odestudy.logged import logged
from odestudy.plan import load_study
from odestudy.present.csvs import write_csv
from odestudy.present.tables import long_table, make_summary

with logged(snakemake.log[0]):
    study = load_study(Path.cwd(), snakemake.wildcards.run, snakemake.params.overrides)
    table = long_table(study, snakemake.wildcards.table)
    write_csv(table, Path(snakemake.output.table))
    write_csv(make_summary(study, snakemake.wildcards.table, table), Path(snakemake.output.summary))
