#!/usr/bin/env bash
# Runs every fuzz test of the program for a while: fuzz.sh 10s. Inputs that fail
# are kept by Go under the package's testdata/fuzz and then run with the tests.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-10s}
grep -rlE --include='*_test.go' '^func Fuzz' internal cmd/clusterbridge workflows activities workers 2>/dev/null | sort | while read -r file; do
  grep -oE '^func Fuzz[A-Za-z0-9_]*' "$file" | cut -d' ' -f2 | while read -r name; do
    echo "fuzz: $name in $(dirname "$file") for $time"
    GOWORK=off go test "./$(dirname "$file")" -run '^$' -fuzz "^$name\$" -fuzztime "$time" </dev/null
  done
done
