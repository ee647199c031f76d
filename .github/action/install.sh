#!/usr/bin/env bash
# A step of action.yml: an environment with proveskill, and with what the fences import.
#   PROVESKILL_VERSION  of the package index; empty: that of this checkout
#   PROVESKILL_INSTALL  arguments of pip install for what the fences import; empty: nothing
set -euo pipefail

environment="$RUNNER_TEMP/proveskill-environment"
python -m venv --clear "$environment"
pip=("$environment/bin/python" -m pip --disable-pip-version-check install --quiet)
if [ -n "${PROVESKILL_VERSION:-}" ]; then
    "${pip[@]}" "proveskill==$PROVESKILL_VERSION"
else
    "${pip[@]}" "$GITHUB_ACTION_PATH"
fi
if [ -n "${PROVESKILL_INSTALL:-}" ]; then
    # Words, as on a command line: several packages, or -r FILE.
    read -r -a words <<<"$PROVESKILL_INSTALL"
    "${pip[@]}" "${words[@]}"
fi
echo "$environment/bin" >>"$GITHUB_PATH"
