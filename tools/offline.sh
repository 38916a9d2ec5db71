#!/usr/bin/env bash
# The study's environment on a machine without network, from a folder of wheels that `make wheels` gathered elsewhere:
#   bash tools/offline.sh PYTHON WHEELS VENV
# What PYTHON has of its own, torch among it, stays visible, also where PYTHON is in a virtual environment itself.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1 wheels=$2 venv=$3
"$python" -m venv --without-pip "$venv"
own=$("$venv/bin/python" -c 'import site; print(site.getsitepackages()[0])')
"$python" -c 'import site; print(*site.getsitepackages(), sep="\n")' >"$own/machine.pth"
install() {
  "$python" -m pip --python "$venv/bin/python" --disable-pip-version-check install --quiet --no-index --no-deps "$@"
}
install --ignore-installed --no-compile "$wheels"/*.whl
install --no-build-isolation --editable .
touch "$venv/study.stamp"
