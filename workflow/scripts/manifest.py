"""Write the sums of all files of a folder."""

from pathlib import Path

from odestudy.logged import logged
from odestudy.publication.manifest import write_manifest

with logged(snakemake.log[0]):
    write_manifest(Path(snakemake.output[0]).parent)
