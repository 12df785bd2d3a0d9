#!/usr/bin/env bash
# Proves that the layering rules of .golangci.yml go red: lints a small copy of
# the house in which every file has one import, and compares what is reported
# with what is expected below.
set -euo pipefail
cd "$(dirname "$0")/.."
linter="$PWD/bin/golangci-lint"
house=$(mktemp -d)
trap 'rm -rf "$house"' EXIT
ours=github.com/clustersystems/clusterbridge

# file, import, whether the linter must refuse it
cases="
internal/sale/a.go                    $ours/internal/work                  refused
internal/sale/b.go                    net/http                             refused
internal/sale/c.go                    errors                               allowed
internal/work/a.go                    $ours/internal/ledger                refused
internal/work/b.go                    $ours/internal/sale                  allowed
internal/work/c.go                    go.temporal.io/sdk/workflow          refused
internal/export/a.go                  $ours/internal/ledger                refused
internal/export/b.go                  $ours/internal/sale                  allowed
internal/export/c.go                  os                                   refused
internal/export/d.go                  encoding/csv                         allowed
internal/items/a.go                   $ours/internal/partner               refused
internal/items/b.go                   $ours/internal/sale                  allowed
internal/tips/a.go                    $ours/internal/ledger                refused
internal/people/a.go                  net/http                             refused
internal/onboarding/a.go              $ours/internal/partner/wisk          refused
internal/onboarding/b.go              go.temporal.io/sdk/client            refused
internal/onboarding/c.go              $ours/internal/partner               allowed
internal/gateway/b.go                 $ours/internal/onboarding            refused
internal/frontdesk/a.go               $ours/internal/onboarding            allowed
internal/words/a.go                   $ours/internal/work                  refused
internal/words/b.go                   $ours/internal/sale                  allowed
internal/link/a.go                    $ours/internal/work                  refused
internal/link/b.go                    net/http                             refused
internal/link/c.go                    crypto/hmac                          allowed
internal/gateway/pages/a.go           $ours/internal/ledger                refused
internal/gateway/pages/b.go           go.temporal.io/sdk/client            refused
internal/gateway/pages/c.go           $ours/internal/mail                  allowed
internal/gateway/a.go                 $ours/internal/ledger                allowed
internal/mail/a.go                    $ours/internal/ledger                refused
internal/mail/b.go                    $ours/internal/vault                 allowed
internal/mail/c.go                    $ours/internal/partner/wisk          refused
workflows/a.go                        $ours/activities                     refused
workflows/b.go                        $ours/internal/ledger                refused
workflows/c.go                        $ours/internal/work                  allowed
workflows/d.go                        go.temporal.io/sdk/workflow          allowed
workflows/e.go                        go.temporal.io/sdk/client            refused
workflows/f.go                        math/rand/v2                         refused
workflows/g.go                        os                                   refused
activities/a.go                       $ours/workflows                      refused
activities/b.go                       $ours/internal/ledger                allowed
workers/a.go                          $ours/cmd/clusterbridge/program      refused
workers/b.go                          $ours/workflows                      allowed
internal/delivery/a.go                $ours/workflows                      refused
internal/delivery/b.go                $ours/activities                     refused
internal/delivery/c.go                $ours/internal/simulator/sevenshifts refused
internal/delivery/c_test.go           $ours/internal/simulator/sevenshifts allowed
internal/delivery/d.go                $ours/internal/partner               allowed
internal/delivery/e.go                $ours/internal/postgres              refused
internal/partner/wisk/a.go            $ours/internal/partner/sevenshifts   refused
internal/partner/wisk/b.go            $ours/internal/partner/wisk/wire     allowed
internal/partner/sevenshifts/a.go     $ours/internal/partner/wisk          refused
internal/partner/sevenshifts/d.go     $ours/internal/partner/wisk/wire     refused
internal/partner/third/deeper/a.go    $ours/internal/partner/wisk          refused
internal/partner/sevenshifts/b.go     $ours/internal/partner               allowed
internal/partner/sevenshifts/c.go     $ours/internal/ledger                refused
internal/partner/a.go                 $ours/internal/partner/wisk          refused
internal/ledger/a.go                  $ours/internal/delivery              refused
internal/simulator/cluster/a.go       $ours/internal/simulator/traffic     allowed
internal/limit/a.go                   go.temporal.io/server/temporal       refused
cmd/clusterbridge/program/a.go        $ours/internal/simulator/cluster     allowed
cmd/demo/main.go                      $ours/internal/work                  refused
cmd/demo/b.go                         os/exec                              allowed
bench/a.go                            $ours/internal/simulator/cluster     allowed
"

# Every case lies in a folder of its own, so that the cases cannot form import
# cycles; what they import are empty packages.
stub() { mkdir -p "$1" && echo "package room" >"$1/room.go"; }
cp .golangci.yml "$house/"
{
  printf 'module %s\n\ngo 1.26.0\n\n' "$ours"
  for module in go.temporal.io/sdk go.temporal.io/server; do
    mkdir -p "$house/stubs/$module"
    printf 'module %s\n\ngo 1.26.0\n' "$module" >"$house/stubs/$module/go.mod"
    printf 'require %s v0.0.0\nreplace %s => ./stubs/%s\n' "$module" "$module" "$module"
  done
} >"$house/go.mod"
n=0
while read -r file import _; do
  [ -n "$file" ] || continue
  n=$((n + 1))
  case "$import" in
  "$ours"/*) stub "$house/${import#"$ours"/}" ;;
  go.temporal.io/*) stub "$house/stubs/$import" ;;
  esac
  mkdir -p "$house/case$n/$(dirname "$file")"
  printf 'package room\n\nimport _ "%s"\n' "$import" >"$house/case$n/$file"
done <<<"$cases"

found=$(cd "$house" && GOWORK=off GOFLAGS= GOPROXY=off "$linter" run --enable-only depguard \
  --show-stats=false --output.text.print-issued-lines=false --output.text.path=stdout ./... 2>"$house/stderr" || true)

wrong=0
n=0
while read -r file import verdict; do
  [ -n "$file" ] || continue
  n=$((n + 1))
  got=allowed
  grep -q "^case$n/$file:.*depguard" <<<"$found" && got=refused
  if [ "$got" != "$verdict" ]; then
    echo "layers: $file importing $import is $got, want $verdict"
    wrong=1
  fi
done <<<"$cases"
if [ "$wrong" = 1 ]; then
  echo "$found" | grep -v depguard
  grep -v 'Skipped 0 issues' "$house/stderr"
  exit 1
fi
echo "layers: $(grep -c refused <<<"$cases") forbidden imports go red, $(grep -c allowed <<<"$cases") allowed ones do not"
