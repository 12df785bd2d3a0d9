#!/bin/sh
# Makes Temporal's two databases and brings their schema up to this version of
# admin-tools. May be run any number of times; a later version upgrades.
# The tool reads host, user and plugin from SQL_* itself.
set -eu
SQL_PASSWORD=$(cat "${SQL_PASSWORD_FILE:?}")
export SQL_PASSWORD

for store in temporal:temporal temporal_visibility:visibility; do
  database=${store%%:*} schema=${store#*:}
  temporal-sql-tool --database "$database" create-database
  temporal-sql-tool --database "$database" setup-schema --version 0.0
  temporal-sql-tool --database "$database" update-schema --schema-name "postgresql/v12/$schema"
done
echo "temporal: schema is up to date"
