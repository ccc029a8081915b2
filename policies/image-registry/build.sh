#!/bin/sh
# Builds image-registry.wasm, or the file given as first argument. With a rustup toolchain that has the target this is
# plain cargo; where no target can be downloaded, Debian's packages build the core library along with the policy:
#   apt-get install --no-remove rustc-web cargo-web rust-web-src lld
set -eu
cd "$(dirname "$0")"
output=${1:-$PWD/image-registry.wasm}
target=wasm32-unknown-unknown
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"

if command -v rustc >/dev/null && [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]; then
  cargo build --quiet --locked --release --target "$target"
elif [ -x /usr/bin/cargo ] && [ -x /usr/bin/rustc ] && [ -d /usr/lib/rustlib/src/rust/library ] && command -v wasm-ld >/dev/null; then
  RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld \
    /usr/bin/cargo build --quiet --locked --release --target "$target" -Zbuild-std=core,alloc
else
  echo "no Rust toolchain for $target: rustup target add $target" >&2
  exit 3
fi
install -m 644 "$CARGO_TARGET_DIR/$target/release/image_registry.wasm" "$output"
