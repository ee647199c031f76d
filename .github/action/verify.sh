#!/usr/bin/env bash
# A step of action.yml: verify a pack, leave the results in a folder, name them as outputs.
#   PROVESKILL_PATH       the pack
#   PROVESKILL_SERVER     embedded, container or a URL; empty: what skill.yaml says
#   PROVESKILL_ARGUMENTS  more arguments of proveskill verify
# The exit status is that of proveskill verify. The summary goes to GITHUB_STEP_SUMMARY, failures
# are annotations: both are what proveskill does on GitHub by itself.
set -euo pipefail

results="$RUNNER_TEMP/proveskill"
rm -rf "$results" # of an earlier use in the same job
mkdir -p "$results"
options=()
if [ -n "${PROVESKILL_SERVER:-}" ]; then options+=(--server "$PROVESKILL_SERVER"); fi
read -r -a words <<<"${PROVESKILL_ARGUMENTS:-}"
status=0
proveskill verify "${PROVESKILL_PATH:-.}" \
    --report "$results/report.json" \
    --junit "$results/junit.xml" \
    --sarif "$results/proveskill.sarif" \
    --summary "$results/summary.md" \
    --badge "$results/badge.svg" \
    ${options[@]+"${options[@]}"} ${words[@]+"${words[@]}"} || status=$?
# Nothing is written when the command or the manifest is wrong: then there are no outputs.
if [ -f "$results/report.json" ]; then
    {
        echo "folder=$results"
        echo "report=$results/report.json"
        echo "junit=$results/junit.xml"
        echo "sarif=$results/proveskill.sarif"
        echo "badge=$results/badge.svg"
    } >>"$GITHUB_OUTPUT"
fi
exit "$status"
