#!/usr/bin/env bash
# Everything that can be known without running a test. All checks run, so that
# one run names all that is wrong.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=()

# step NAME COMMAND...: says what is checked, and remembers what failed.
step() {
  local name=$1 begun=$SECONDS
  shift
  echo "check: $name"
  if "$@"; then
    [ $((SECONDS - begun)) -lt 10 ] || echo "check: $name took $((SECONDS - begun)) s"
  else
    failed+=("$name")
  fi
}

formatted() {
  local wrong
  wrong=$(gofmt -l .)
  [ -z "$wrong" ] || { echo "$wrong"; echo "gofmt would change these; run: make fmt"; return 1; }
}

settings_in_step() {
  local fresh
  fresh=$(mktemp)
  GOWORK=off go run ./cmd/clusterbridge settings --markdown >"$fresh" &&
    diff -u docs/settings.md "$fresh" || { rm -f "$fresh"; echo "docs/settings.md is out of step; run: make fmt"; return 1; }
  rm -f "$fresh"
}

tidy() { (cd "$1" && GOWORK=off go mod tidy -diff); }
vet_demo() { (cd cmd/demo && go vet ./...); }
lint_root() { GOWORK=off bin/golangci-lint run ./...; }
lint_deploy() { (cd deploy && GOWORK=off ../bin/golangci-lint run ./...); }
lint_demo() { (cd cmd/demo && ../../bin/golangci-lint run ./...); }
workflows_replay() { GOWORK=off bin/workflowcheck ./...; }

scripts/tools.sh || exit 1
step "gofmt" formatted
step "go vet, the program" env GOWORK=off go vet ./...
step "go vet, the demo (compiles Temporal's server the first time: about 5 minutes on two cores)" vet_demo
step "linter's settings" bin/golangci-lint config verify
step "layering rules go red" scripts/layers.sh
step "linter, the program" lint_root
step "linter, the demo" lint_demo
step "linter, the production stack's files" lint_deploy
step "workflowcheck" workflows_replay
step "docs/settings.md" settings_in_step
for module in . cmd/demo deploy tools; do
  step "go.mod of $module" tidy "$module"
done

if [ ${#failed[@]} -gt 0 ]; then
  printf 'check: failed: %s\n' "${failed[@]}"
  exit 1
fi
echo "check: all good"
