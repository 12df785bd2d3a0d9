#!/bin/sh
# Registers the namespace, which Temporal's server does not do by itself.
# The CLI reads the frontend's address from TEMPORAL_ADDRESS itself.
set -eu
: "${TEMPORAL_ADDRESS:?}" "${TEMPORAL_NAMESPACE:?}" "${RETENTION_DAYS:?}"

# The port is open some seconds before the services behind it are found.
tries=${TRIES:-30}
until temporal operator cluster health >/dev/null 2>&1; do
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || { echo "temporal: the frontend at $TEMPORAL_ADDRESS does not serve" >&2; exit 1; }
  sleep "${PAUSE:-2}"
done

if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
  echo "temporal: namespace $TEMPORAL_NAMESPACE is there already"
else
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "${RETENTION_DAYS}d"
fi
