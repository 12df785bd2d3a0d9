#!/bin/sh
# Makes keyset, passwords and tokens, once: what is there is never overwritten,
# since a keyset or a database's password that changes locks its owner out.
#
# Each consumer has a folder (a volume) of its own. What the program itself
# reads is 0600; what a container of another user reads is 0640 and in that
# user's group. Nothing is printed but the names of what was made.
set -eu
umask 077
: "${SECRETS:?}" "${GROUP_POSTGRES:?}" "${GROUP_TEMPORAL:?}" "${GROUP_GRAFANA:?}" "${LEDGER_HOST:?}"

# random prints 64 hexadecimal digits, which need no quoting anywhere.
random() { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

# made FILE GROUP COMMAND...: writes the command's output to a file that is not
# there yet, whole or not at all. GROUP - is for the program's own.
made() {
  file=$SECRETS/$1 group=$2
  shift 2
  if [ ! -s "$file" ]; then
    "$@" >"$file.new"
    [ -s "$file.new" ] || { echo "secrets: $file could not be made" >&2; exit 1; }
    mv "$file.new" "$file"
    echo "secrets: made $file"
  fi
  # Also when it was there: an earlier run may have been cut short.
  if [ "$group" = - ]; then
    chmod 0600 "$file"
  else
    chgrp "$group" "$file"
    chmod 0640 "$file"
  fi
}

ledger_url() {
  printf 'postgres://clusterbridge:%s@%s/clusterbridge?sslmode=disable' "$(cat "$SECRETS/postgres/clusterbridge")" "$LEDGER_HOST"
}

made postgres/superuser "$GROUP_POSTGRES" random
made postgres/temporal "$GROUP_POSTGRES" random
made postgres/clusterbridge "$GROUP_POSTGRES" random
made temporal/password "$GROUP_TEMPORAL" cat "$SECRETS/postgres/temporal"
made clusterbridge/database-url - ledger_url
made clusterbridge/keyset - clusterbridge keyset new
made clusterbridge/codec-keyset - clusterbridge keyset new --codec
made clusterbridge/hook-secret - random
made clusterbridge/codec-token - random
made clusterbridge/link-secret - random
made clusterbridge/billing-secret - random
# What Cluster shares with us; the profile demo plays Cluster.
made clusterbridge/office-key - random
made cluster/hook-secret - cat "$SECRETS/clusterbridge/hook-secret"
made cluster/office-key - cat "$SECRETS/clusterbridge/office-key"
made ui/codec-token "$GROUP_TEMPORAL" cat "$SECRETS/clusterbridge/codec-token"
made grafana/admin-password "$GROUP_GRAFANA" random
echo "secrets: all there"
