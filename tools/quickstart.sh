#!/usr/bin/env bash
# Set up the environment, train ERM, Balanced Softmax and RIDE on the long-tailed digits with three
# seeds, and show one table and one picture. A second call shows them again from the finished runs.
set -euo pipefail
# shellcheck source=tools/misc/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/misc/environment.sh" ''  # without an extra: a sourced script would see our arguments
cd "$root"
exec python tools/quickstart.py "$@"
