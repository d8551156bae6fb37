#!/usr/bin/env bash
# Makes the image local/node:24-bookworm-slim, which stands in for the Dockerfile's base where it cannot be pulled; prints its name.
# Debian, Node and npm from the npm registry, and the certificates that this machine trusts.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
image=local/node:24-bookworm-slim
debian="$("$here/debian.sh")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
version="$(sed -n 's/^ *"node": "\([0-9.]*\)",*$/\1/p' "$here/../../../package.json")"
mkdir -p "$work"/usr/local/{bin,lib} "$work/etc/ssl/certs"
npm install --silent --no-audit --no-fund --no-save --prefix "$work/usr/local/lib" "node@$version" npm@11.21.2 >&2
ln -s ../lib/node_modules/node/bin/node ../lib/node_modules/.bin/npm ../lib/node_modules/.bin/npx "$work/usr/local/bin"
cp -L /etc/ssl/certs/ca-certificates.crt "$work/etc/ssl/certs/"
docker build --quiet --tag "$image" --file - "$work" >&2 <<DOCKERFILE
FROM $debian
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
COPY . /
DOCKERFILE
echo "$image"
