#!/usr/bin/env bash
# Test on several GPUs (or CPU processes where there is no GPU):
#   bash tools/dist_test.sh CONFIG CHECKPOINT GPUS [arguments of tools/test.py]
# Several machines: set NNODES, NODE_RANK, MASTER_ADDR and PORT on each.
exec bash "$(dirname "${BASH_SOURCE[0]}")/misc/torchrun.sh" test.py 2 "$@"
