#!/bin/sh
# Makes the secrets that compose.yaml reads, once; what is there already stays.
set -eu
cd "$(dirname "$0")/.."
umask 077
mkdir -p secrets
[ -s secrets/postgres ] || openssl rand -hex 24 >secrets/postgres
[ -s secrets/cursor ] || openssl rand -hex 32 >secrets/cursor
password=$(cat secrets/postgres)
for name in tailwise jobs; do
    echo "postgresql://tailwise:$password@postgres/$name" >"secrets/url.$name"
done
mv secrets/url.tailwise secrets/database_url
mv secrets/url.jobs secrets/jobs_url
# The container's own user reads them; the folder keeps everybody else out.
chmod 0644 secrets/*
chmod 0700 secrets
