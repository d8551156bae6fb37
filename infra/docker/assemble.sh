#!/bin/sh
# Gathers what the image needs: assemble.sh APP IMAGE, where APP has Eddy's installed packages and IMAGE becomes the root of the file system.
set -eu
app="$1"
image="$2"
mkdir -p "$image/usr/local/bin" "$image/etc" "$image/tmp" /data

# One Node: the one that the package brings.
mv "$app/node_modules/node/bin/node" "$image/usr/local/bin/node"
rm -rf "$app/node_modules/node" "$app/node_modules/.bin" "$app/node_modules/.package-lock.json"
# `docker exec … eddy inspect`: there is no /usr/bin/env.
sed -i '1s|.*|#!/usr/local/bin/node|' "$app/node_modules/eddy/bin/eddy.cjs"
ln -s /app/node_modules/eddy/bin/eddy.cjs "$image/usr/local/bin/eddy"
# Neither types nor source nor maps run.
find "$app/node_modules" -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' -o -name '*.md' ! -iname 'license*' \) -delete
find "$app/node_modules/@eddy" "$app/node_modules/eddy" -maxdepth 2 -type d -name src -prune -exec rm -rf {} +

# The shared libraries of Node and of native modules, each where the loader looks for it.
{ echo "$image/usr/local/bin/node"; find "$app" -name '*.node'; } | while read -r binary; do
  ldd "$binary" | sed -n 's|.*[[:space:]]\(/[^ ]*\) (0x.*|\1|p'
done | sort -u | while read -r library; do
  mkdir -p "$image$(dirname "$library")"
  cp -L "$library" "$image$library"
done
mkdir -p "$image/app"
mv "$app"/* "$image/app/"
echo 'hosts: files dns' > "$image/etc/nsswitch.conf"
echo 'eddy:x:10001:10001::/data:/sbin/nologin' > "$image/etc/passwd"
echo 'eddy:x:10001:' > "$image/etc/group"
chmod 1777 "$image/tmp"
