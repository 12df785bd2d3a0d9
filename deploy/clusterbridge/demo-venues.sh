#!/bin/sh
# Adds and connects the venues that `clusterbridge simulate` plays. May be run
# any number of times: what is connected is left alone.
set -eu
: "${STATE:?}"

# location ID SERIAL ZONE LANGUAGE NAME
location() {
  # An earlier run may have added the location and not connected it; when it is
  # missing for any other reason, connecting it says so.
  clusterbridge location add "$1" --serial="$2" --zone="$3" --language="$4" --name="$5" --key-file="$STATE/$1.key" --reason=test --note="demo" || true
}

# connected CONNECTION
connected() {
  clusterbridge status "$1" >/dev/null 2>&1 && echo "demo: $1 is connected already"
}

# venue ID SERIAL ZONE LANGUAGE NAME
venue() {
  if connected "7shifts:$1"; then return; fi
  location "$@"
  clusterbridge connect 7shifts --location="$1" --token-file="$STATE/$1.token" --reason=test --note="demo"
}

# site MODIFIERS ID SERIAL ZONE LANGUAGE NAME
site() {
  modifiers=$1
  shift
  if connected "wisk:$1"; then return; fi
  location "$@"
  clusterbridge connect wisk --location="$1" --no-cluster-integration --modifiers="$modifiers" --venue-file="$STATE/$1.venue" --reason=test --note="demo"
}

venue chez-marcel CL-40711 America/Toronto fr "Chez Marcel"
venue cafe-beaubien CL-40988 America/Toronto fr "Cafe Beaubien"
venue harbour-and-rye CL-51203 America/Halifax en "Harbour and Rye"
# Two sites of one venue in WISK.
site off taverne-du-canal CL-62110 America/Toronto fr "Taverne du Canal"
site include canal-street-tavern CL-62111 America/Toronto en "Canal Street Tavern"
