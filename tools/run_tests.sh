#!/usr/bin/env bash
# Set up the environment when it is missing, and run the tests:
#   bash tools/run_tests.sh [arguments of pytest]      -m slow: the slow tests
set -euo pipefail
# shellcheck source=tools/misc/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/misc/environment.sh" dev
cd "$root"
ruff check .
exec python -m pytest -n "${LTKIT_TEST_PROCESSES:-2}" "$@"
