#!/usr/bin/env bash
# Train on several GPUs (or CPU processes where there is no GPU):
#   bash tools/dist_train.sh CONFIG GPUS [--max-restarts N] [arguments of tools/train.py]
# After a dead process all are started again, at most N times, and resume from the newest checkpoint.
# Several machines: set NNODES, NODE_RANK, MASTER_ADDR and PORT on each.
exec bash "$(dirname "${BASH_SOURCE[0]}")/misc/torchrun.sh" train.py 1 "$@"
