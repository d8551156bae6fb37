#!/usr/bin/env bash
# Makes the image local/debian:bookworm-slim by debootstrap, where no image can be pulled; prints its name. The archive is kept in the user's cache.
set -euo pipefail
image=local/debian:bookworm-slim
cache="${XDG_CACHE_HOME:-$HOME/.cache}/eddy-images"
archive="$cache/debian-bookworm.tar"
if [ ! -f "$archive" ]; then
  command -v debootstrap >/dev/null || { echo "debootstrap: expected it to be installed, got none; apt-get install debootstrap" >&2; exit 1; }
  mkdir -p "$cache"
  work="$(mktemp -d "$cache/debian.XXXXXX")"
  trap 'rm -rf "$work"' EXIT
  debootstrap --variant=minbase bookworm "$work/root" >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }
  # What an image does without: package archives and lists, manuals, translations.
  rm -rf "$work"/root/var/{cache,lib}/apt/* "$work"/root/var/log/* "$work"/root/usr/share/{doc,man,info,locale}/* "$work"/root/dev/*
  tar -C "$work/root" --numeric-owner -cf "$work/debian.tar" .
  mv "$work/debian.tar" "$archive"
fi
docker image inspect "$image" >/dev/null 2>&1 || docker import --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' "$archive" "$image" >/dev/null
echo "$image"
