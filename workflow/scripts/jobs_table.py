"""Write the table of all jobs with their provenance."""

from pathlib import Path

from odestudy.logged import logged
from odestudy.plan import load_study
from odestudy.present.csvs import write_csv
from odestudy.present.tables import jobs_table

with logged(snakemake.log[0]):
    study = load_study(Path.cwd(), snakemake.wildcards.run, snakemake.params.overrides)
    write_csv(jobs_table(study), Path(snakemake.output[0]))
