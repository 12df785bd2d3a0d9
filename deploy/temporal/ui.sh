#!/bin/sh
# Tells the Web UI where payloads are opened, but only when they are sealed: it
# would ask for each of them. A browser without sign-in can send the gateway no
# header of its own, so the token is part of the address.
set -eu
if [ -n "${CODEC_KEYSET_FILE:-}" ]; then
  TEMPORAL_CODEC_ENDPOINT=${CODEC_URL:?}/$(cat "${CODEC_TOKEN_FILE:?}")
  export TEMPORAL_CODEC_ENDPOINT
fi
exec "${ENTRYPOINT:-./start-ui-server.sh}"
