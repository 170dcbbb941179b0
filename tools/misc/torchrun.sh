#!/usr/bin/env bash
# Start a tool under torchrun; called by dist_train.sh and dist_test.sh:
#   torchrun.sh TOOL POSITIONAL [POSITIONAL arguments] PROCESSES [--max-restarts N] [further arguments]
# Restarts may be given by the environment too: MAX_RESTARTS=N.
set -euo pipefail
tool=$1
positional=$2
shift 2
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ "$#" -le "$positional" ] || ! [[ "${*:positional+1:1}" =~ ^[1-9][0-9]*$ ]]; then
    case $tool in
        train.py) echo 'error: usage: dist_train.sh CONFIG GPUS [arguments of train.py]' >&2 ;;
        *) echo 'error: usage: dist_test.sh CONFIG CHECKPOINT GPUS [arguments of test.py]' >&2 ;;
    esac
    exit 2
fi
given=("${@:1:positional}")
processes=${*:positional+1:1}
shift $((positional + 1))
restarts=${MAX_RESTARTS:-0}
rest=()
while [ "$#" -gt 0 ]; do
    case $1 in
        --max-restarts=*) restarts=${1#*=} ;;
        --max-restarts)
            restarts=${2:-}
            shift $(($# > 1)) ;;
        *) rest+=("$1") ;;
    esac
    shift
done
if ! [[ $restarts =~ ^[0-9]+$ ]]; then
    echo "error: --max-restarts needs a number of restarts, but got '$restarts'" >&2
    exit 2
fi
python=${PYTHON:-python}
if [ "${NNODES:-1}" = 1 ] && [ -z "${PORT:-}" ]; then
    # A free port, so that several runs fit on one machine.
    rendezvous=(--standalone)
else
    rendezvous=(--nnodes "${NNODES:-1}" --node_rank "${NODE_RANK:-0}"
        --master_addr "${MASTER_ADDR:-127.0.0.1}" --master_port "${PORT:-29500}")
fi
# Threads of all processes together should not exceed the cores.
cores=$("$python" -c 'import os; print(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)')
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$((cores / processes > 0 ? cores / processes : 1))}
# Checkpoints bear it, so that a restart takes none that an earlier run left in the folder.
LTKIT_LAUNCH_ID=$("$python" -c 'import uuid; print(uuid.uuid4().hex)')
export LTKIT_LAUNCH_ID
exec "$python" "$tools/misc/torchrun.py" "${rendezvous[@]}" --nproc_per_node "$processes" \
    --max_restarts "$restarts" "$tools/$tool" "${given[@]}" --launcher pytorch ${rest[@]+"${rest[@]}"}
