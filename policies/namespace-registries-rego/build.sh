#!/bin/sh
# Compiles policy.rego with OPA (`opa`, or the binary that OPA names) into namespace-registries-rego.wasm, or into the file given.
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
target=${1:-$folder/namespace-registries-rego.wasm}
opa=${OPA:-opa}
if ! command -v "$opa" >/dev/null; then
  echo "namespace-registries-rego: opa is not on the path" >&2
  exit 3
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$folder"
"$opa" build -t wasm -e namespace_registries/violation -e namespace_registries/main -o "$scratch/bundle.tar.gz" policy.rego
tar -xzf "$scratch/bundle.tar.gz" -C "$scratch" /policy.wasm
mv "$scratch/policy.wasm" "$target"
