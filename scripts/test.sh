#!/usr/bin/env bash
# Runs parts of the tests (root, race, deploy, demo), shows one line per package and
# everything of a package that fails, and names at the end what could not run
# on this machine. With CI=true that is a failure.
set -uo pipefail
cd "$(dirname "$0")/.."
skipped=$(mktemp)
trap 'rm -f "$skipped"' EXIT
failed=0

# run NAME COMMAND...
run() {
  local name=$1 begun=$SECONDS
  shift
  echo "test: $name"
  # Compiling is silent, and a long package says nothing until it ends.
  while sleep 60 >/dev/null 2>&1; do echo "test: $name, $((SECONDS - begun)) s so far"; done &
  local ticker=$!
  if ! "$@" 2>&1 | awk -v skipped="$skipped" -f scripts/test.awk; then
    failed=1
  fi
  kill "$ticker" 2>/dev/null
  echo "test: $name took $((SECONDS - begun)) s"
}

root() { GOWORK=off go test -v ./...; }
race() { GOWORK=off CGO_ENABLED=1 go test -v -race ./...; }
# One binary of the embedded server is linked at a time: each takes 200 MB.
demo() { cd cmd/demo && go test -v -p 1 -timeout 20m ./...; }

deploy() { cd deploy && GOWORK=off go test -v ./...; }

for part in "$@"; do
  case "$part" in
  root) run "the program" root ;;
  race)
    if cc=$(go env CC) && command -v "${cc%% *}" >/dev/null; then
      run "the program, under the race detector" race
    else
      echo "race detector: there is no C compiler (install gcc or clang)" >>"$skipped"
    fi
    ;;
  demo)
    echo "test: the demo's tests embed Temporal's server; compiling it takes about 5 minutes the first time"
    run "the demo, end to end" demo
    ;;
  deploy) run "the production stack's files" deploy ;;
  *)
    echo "test.sh: unknown part $part; want root, race, deploy, demo" >&2
    exit 2
    ;;
  esac
done

if [ -s "$skipped" ]; then
  echo "Not run on this machine:"
  sort -u "$skipped" | sed 's/^/  /'
  if [ "${CI:-}" = true ]; then
    echo "With CI=true everything has to run."
    failed=1
  fi
fi
if [ "$failed" = 0 ]; then echo "test: all good"; else echo "test: FAILED"; fi
exit "$failed"
