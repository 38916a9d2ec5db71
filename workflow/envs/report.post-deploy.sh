# The study's own package, from the clone that Snakemake was started in.
set -eu
python -m pip install --quiet --no-deps --editable .
