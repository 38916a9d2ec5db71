#!/usr/bin/env bash
# The oldest versions that pyproject.toml allows, in an environment of their own: bash tools/oldest.sh [FOLDER] [PYTHON]
# torch and torchvision are as constraints.txt has them, since PyPI has the older ones with CUDA only; what they need of
# CUDA is left out. uv finds the versions, pip installs them, each from where it is told to.
set -euo pipefail
folder=${1:-.venv/oldest}
python=${2:-python3}
cd "$(dirname "$0")/.."

"$python" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check uv
{
  sed -n '/^dependencies = \[/,/^\]/s/^ *"\(.*\)",$/\1/p' pyproject.toml
  grep -E '^(torch|torchvision|pytest|hypothesis)==' constraints.txt
} >"$folder/direct.txt"
"$folder/bin/uv" pip compile --quiet --python "$folder/bin/python" --resolution lowest-direct --no-annotate --no-header \
  "$folder/direct.txt" | grep -vE '^(nvidia|cuda|triton)' >"$folder/oldest.txt"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$folder/oldest.txt"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --editable .
cat "$folder/oldest.txt"
