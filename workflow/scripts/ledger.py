"""Write the verdict on every claim."""

from pathlib import Path

from odestudy.logged import logged
from odestudy.plan import load_study
from odestudy.present.csvs import read_csv, write_csv
from odestudy.present.ledger import ledger

with logged(snakemake.log[0]):
    study = load_study(Path.cwd(), snakemake.wildcards.run, snakemake.params.overrides)
    tables = {Path(path).stem: read_csv(Path(path)) for path in snakemake.input.tables}
    write_csv(ledger(study, tables), Path(snakemake.output[0]))
