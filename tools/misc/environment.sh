#!/usr/bin/env bash
# Make .venv with ltkit in it, unless it is there already; sourced by quickstart.sh and run_tests.sh.
#   source environment.sh [EXTRA]     EXTRA: an extra of setup.py, for example dev
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
extra=${1:-}
venv=${LTKIT_VENV:-$root/.venv}
if ! [ -x "$venv/bin/python" ]; then
    base=
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python3.10 python; do
        if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            base=$candidate
            break
        fi
    done
    if [ -z "$base" ]; then
        echo 'error: no Python 3.10 or newer found; install one, or name it: PYTHON=/path/to/python3' >&2
        exit 2
    fi
    echo "making $venv with $("$base" --version)"
    if ! "$base" -m venv "$venv"; then
        rm -rf "$venv"
        echo "error: '$base -m venv' failed; on Debian and Ubuntu install the package python3-venv" >&2
        exit 2
    fi
fi
# Install again only when the requirements or the place changed.
stamp=$venv/.ltkit${extra:+-$extra}
state=$(cat "$root/setup.py" "$root"/requirements/*.txt <(echo "$root") | cksum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$state" ]; then
    echo 'installing ltkit and its requirements (a few minutes the first time) ...'
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$root${extra:+[$extra]}"
    echo "$state" > "$stamp"
fi
export PATH="$venv/bin:$PATH"
