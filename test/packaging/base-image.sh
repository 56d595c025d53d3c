#!/usr/bin/env bash
# Makes the base image that the Dockerfile names, without a registry of images: Debian by debootstrap, Node by npm.
#   base-image.sh node:24.21.0-bookworm-slim
set -euo pipefail
name=$1
[[ $name =~ ^node:([0-9.]+)-([a-z]+)-slim$ ]] || { echo "$name is not node:<version>-<suite>-slim"; exit 1; }
version=${BASH_REMATCH[1]} suite=${BASH_REMATCH[2]}
if buildah inspect --type image "localhost/$name" >/dev/null 2>&1; then exit 0; fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$scratch/root
debootstrap --variant=minbase "$suite" "$root"
npm install --prefix "$scratch/npm" --no-audit --no-fund --loglevel=error "node@$version" npm@11
cp "$(readlink -f "$scratch/npm/node_modules/node/bin/node")" "$root/usr/local/bin/node"
mkdir -p "$root/usr/local/lib/node_modules"
cp -r "$scratch/npm/node_modules/npm" "$root/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"

container=$(buildah from scratch)
buildah add --quiet "$container" "$root" /
buildah config --env PATH=/usr/local/bin:/usr/bin:/bin --cmd node "$container"
buildah commit --quiet --rm "$container" "localhost/$name"
