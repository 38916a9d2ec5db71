#!/usr/bin/env bash
# What the study needs a machine with a GPU for, within a time and without network. In the clone's folder:
#
#   bash benchmarks/gpu.sh OUT SECONDS [PART...]
#
# OUT takes what came of it (log.txt: all that was said), SECONDS is for all of it: trainings that are still going on
# then are given up, and what is finished is packed. PARTs, in this order, all of them by default:
#   install   the study's environment from a folder of wheels (`make wheels` elsewhere), unless it is there
#   tests     those that need a GPU
#   bench     our solvers, and a step of the MNIST experiment: solvers.csv, mnist_step.csv
#   sharing   how many trainings a GPU bears side by side: sharing.csv
#   train     the images of tier full, the headline first: study.zip, for `odestudy unpack`
# From the environment: GPU_SHARE (how many jobs share the GPU), SEEDS, ARMS, TIER, CORES; PYTHON and WHEELS of install;
# TESTS_S, SOLVERS_S, WORKLOADS, PROCESSES, PROCESSES_MPS cut tests and measurements; TAKE, what `odestudy unpack` takes,
# such as results/published/full-hopper, so that a run goes on from there; DEVICE=cpu to try it; MPS=1 lets NVIDIA's
# multi-process service run the jobs' kernels side by side instead of by turns, where the machine has it.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
out=${1:?a folder for the results} seconds=${2:?the seconds that all may take}
shift 2
parts=" ${*:-install tests bench sharing train} "
mkdir -p "$out"
out=$(cd "$out" && pwd)
export PYTHONUNBUFFERED=1
have() { command -v "$1" >/dev/null 2>&1; }
if have nvidia-smi && [ -z "${CUDA_VISIBLE_DEVICES:-}" ]; then export CUDA_VISIBLE_DEVICES=0; fi

left() { echo $((seconds - SECONDS - ${1:-0})); }
# part NAME MOST COMMAND...: at most MOST seconds; all that it says goes to OUT/log.txt, the end of it to the terminal.
part() {
  local name=$1 most=$2 begun=$SECONDS status
  shift 2
  [ "$most" -gt "$(left 25)" ] && most=$(left 25)
  [ "$most" -lt 5 ] && echo "== $name: no time left" && return
  echo "== $name" >>"$out/log.txt"
  timeout --kill-after=12 "$most" "$@" </dev/null >>"$out/log.txt" 2>&1
  status=$?
  tail -n "${LINES_SHOWN:-10}" "$out/log.txt"
  echo "== $name: status $status after $((SECONDS - begun)) s"
}

mps() {
  [ "${MPS:-}" = 1 ] || return
  have nvidia-cuda-mps-control || { echo "== no multi-process service on this machine" && return; }
  export CUDA_MPS_PIPE_DIRECTORY CUDA_MPS_LOG_DIRECTORY
  CUDA_MPS_PIPE_DIRECTORY=$(mktemp -d) CUDA_MPS_LOG_DIRECTORY=$(mktemp -d)
  nvidia-cuda-mps-control -d </dev/null >/dev/null 2>&1
  trap 'echo quit | timeout 10 nvidia-cuda-mps-control >/dev/null 2>&1' EXIT
  if timeout 40 .venv/bin/python -c "import torch; print(torch.ones(9, device='cuda').sum().item())" >/dev/null 2>&1; then
    echo "== multi-process service: on"
  else
    echo quit | timeout 10 nvidia-cuda-mps-control >/dev/null 2>&1
    unset CUDA_MPS_PIPE_DIRECTORY CUDA_MPS_LOG_DIRECTORY
    echo "== multi-process service: does not work here, off"
  fi
}

wanted() { [[ $parts == *" $1 "* ]]; }
device=${DEVICE:-cuda} tier=${TIER:-full} arms=${ARMS:-resnet6,odenet_backprop,resnet1,odenet_adjoint,walkthrough}

if wanted install; then
  [ -f .venv/study.stamp ] || part install 120 bash tools/offline.sh "${PYTHON:-python3}" "${WHEELS:-wheels}" .venv
fi
[ -x .venv/bin/odestudy ] || { echo "no environment: make offline, or make study, makes it" && exit 1; }
export PATH="$PWD/.venv/bin:$PATH"
if wanted tests; then
  part tests "${TESTS_S:-60}" python -m pytest -m gpu -p no:cacheprovider --no-header -q \
    tests/learning tests/ode/test_drop_in.py tests/questions/test_timeseries.py tests/ode/test_waits.py
fi
if wanted bench; then
  part mnist_step 30 python benchmarks/mnist_step.py --device "$device" --csv "$out/mnist_step.csv"
  part solvers "${SOLVERS_S:-75}" python benchmarks/solvers.py --device "$device" --budget 8 --csv "$out/solvers.csv" \
    --workloads "${WORKLOADS:-conv,mlp256,cnf,mlp1}" \
    --contenders "torchdiffeq;ours;torchdiffeq, adjoint;ours, adjoint;ours, quadrature;ours, checkpointed"
fi
if wanted sharing; then
  part sharing 60 python benchmarks/sharing.py --device "$device" --csv "$out/sharing.csv" --processes ${PROCESSES:-1 4 10}
fi
mps
if wanted sharing && [ -n "${CUDA_MPS_PIPE_DIRECTORY:-}" ]; then
  part sharing_mps 40 python benchmarks/sharing.py --device "$device" --csv "$out/sharing_mps.csv" --processes ${PROCESSES_MPS:-4 12}
fi
if wanted train; then
  for file in ${TAKE:-}; do odestudy unpack "$file" --seeds "${SEEDS:-5}"; done
  part study "$seconds" odestudy study --tier "$tier" --questions images --arms "$arms" --seeds "${SEEDS:-5}" \
    --cores "${CORES:-all}" --gpu-share "${GPU_SHARE:-6}" --first --verbose
  tail -n 40 results/"$tier"/logs/runs/*.log >>"$out/log.txt" 2>/dev/null
  odestudy pack "$out/study.zip" --tier "$tier" --questions images --seeds "${SEEDS:-5}"
fi
echo "== $SECONDS s in all"
