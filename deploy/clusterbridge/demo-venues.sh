#!/bin/sh
# Adds and connects the venues that `clusterbridge simulate` plays. May be run
# any number of times: what is connected is left alone.
set -eu
: "${STATE:?}"

# venue ID SERIAL ZONE LANGUAGE NAME
venue() {
  if clusterbridge status "7shifts:$1" >/dev/null 2>&1; then
    echo "demo: 7shifts:$1 is connected already"
    return
  fi
  # An earlier run may have added the location and not connected it; when it is
  # missing for any other reason, connecting it says so.
  clusterbridge location add "$1" --serial="$2" --zone="$3" --language="$4" --name="$5" --key-file="$STATE/$1.key" --reason=test --note="demo" || true
  clusterbridge connect 7shifts --location="$1" --token-file="$STATE/$1.token" --reason=test --note="demo"
}

venue chez-marcel CL-40711 America/Toronto fr "Chez Marcel"
venue cafe-beaubien CL-40988 America/Toronto fr "Cafe Beaubien"
venue harbour-and-rye CL-51203 America/Halifax en "Harbour and Rye"
