#!/bin/sh
# Runs once, inside the postgres image, when the cluster is made: a role and a
# database for the ledger, and a role for Temporal, which makes its own two.
# psql reads the passwords itself, so that no command line shows them.
set -eu
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" --dbname="${POSTGRES_DB:-postgres}" <<'SQL'
\set ledger `cat "${SECRETS:-/secrets}/clusterbridge"`
\set temporal `cat "${SECRETS:-/secrets}/temporal"`
CREATE ROLE clusterbridge LOGIN PASSWORD :'ledger';
CREATE DATABASE clusterbridge OWNER clusterbridge;
REVOKE CONNECT ON DATABASE clusterbridge FROM PUBLIC;
CREATE ROLE temporal LOGIN CREATEDB PASSWORD :'temporal';
SQL
