#!/bin/sh
# Builds denied-verbs-go.wasm, or the file given as first argument, with Go 1.24 or later.
set -eu
cd "$(dirname "$0")"
output=${1:-$PWD/denied-verbs-go.wasm}
if ! command -v go >/dev/null; then
  echo "no Go toolchain: https://go.dev/dl" >&2
  exit 3
fi
GOTOOLCHAIN=local GOOS=wasip1 GOARCH=wasm go build -trimpath -buildvcs=false -ldflags='-s -w' -o "$output" .
chmod 644 "$output"
