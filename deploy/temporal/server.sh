#!/bin/sh
# Hands Temporal's server its password from a file; the image's own entrypoint
# takes it from the environment only.
set -eu
POSTGRES_PWD=$(cat "${POSTGRES_PWD_FILE:?}")
export POSTGRES_PWD
exec "${ENTRYPOINT:-/etc/temporal/entrypoint.sh}"
