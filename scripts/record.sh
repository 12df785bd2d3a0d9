#!/usr/bin/env bash
# Records the replay histories of the workflows again, from a real run.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -n "$(git tag --list 'v*')" ]; then
  echo "record: there is a tag; its histories are frozen. Record new ones into a folder of their own." >&2
  exit 1
fi
cd cmd/demo
RECORD=1 go test ./e2e -count=1 -run '^TestRecordHistories$' -v
