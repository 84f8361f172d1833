#!/bin/sh
# PostgreSQL's image runs this when its volume is first made: tellonce's own role, which is no superuser, and its database.
set -eu
psql --username postgres --set ON_ERROR_STOP=1 --set password="$DATABASE_PASSWORD" <<'SQL'
CREATE ROLE tellonce LOGIN PASSWORD :'password';
CREATE DATABASE tellonce OWNER tellonce;
SQL
