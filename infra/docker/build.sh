#!/usr/bin/env bash
# Builds Eddy's image: infra/docker/build.sh [TAG] (default eddy:latest). Needs a Docker engine; where the base cannot be pulled, makes one here.
set -euo pipefail
cd "$(dirname "$0")/../.."
tag="${1:-eddy:latest}"
base="${BASE:-$(sed -n 's/^ARG BASE=//p' infra/docker/Dockerfile)}"
if ! docker image inspect "$base" >/dev/null 2>&1 && ! docker pull --quiet "$base" >&2; then
  base="$(infra/docker/local/node.sh)"
fi
# On the host's network, so that npm is reached just as from here.
docker build --network host --build-arg "BASE=$base" --file infra/docker/Dockerfile --tag "$tag" .
