#!/usr/bin/env bash
# Builds the linters of tools/go.mod into bin/. They have a module of their own,
# so that nothing of them reaches the program's.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ bin/golangci-lint -nt tools/go.sum ] && [ bin/workflowcheck -nt tools/go.sum ]; then
  exit 0
fi
echo "tools: building golangci-lint and workflowcheck into bin/; the first time takes some minutes"
GOWORK=off go -C tools build -buildvcs=false -o ../bin/ tool
touch bin/golangci-lint bin/workflowcheck
