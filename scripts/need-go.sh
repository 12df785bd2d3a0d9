#!/usr/bin/env bash
# Says in one plain sentence when Go is missing or too old. A Go from 1.21 on
# fetches the right version by itself unless GOTOOLCHAIN forbids it.
set -euo pipefail
cd "$(dirname "$0")/.."
want=$(awk '$1 == "go" { print $2; exit }' go.work)

if ! command -v go >/dev/null; then
  echo "clusterbridge needs Go $want or newer, and there is no go command: get it from https://go.dev/dl/" >&2
  exit 1
fi
# Asked outside the repository, where no go.work makes Go switch versions.
have=$(cd / && GOTOOLCHAIN=local go version | sed -E 's/^go version (devel )?go([0-9.]+).*/\2/')
number() { awk -F. '{ printf "%d%03d%03d\n", $1, $2, $3 }' <<<"$1"; }

if [ "$(number "$have")" -ge "$(number "$want")" ]; then
  exit 0
fi
if [ "$(number "$have")" -lt "$(number 1.21)" ] || [ "$(cd / && go env GOTOOLCHAIN)" = local ]; then
  echo "clusterbridge needs Go $want or newer, and this is Go $have: get it from https://go.dev/dl/" >&2
  exit 1
fi
echo "This is Go $have; it fetches Go $want by itself (about 70 MB, once)."
