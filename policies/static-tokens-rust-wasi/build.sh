#!/bin/sh
# Builds static-tokens-rust-wasi.wasm, or the file given as first argument. With a rustup toolchain that has the target this is
# plain cargo; where no target can be downloaded, Debian's packages build the standard library along with the policy:
#   apt-get install --no-remove rustc-web cargo-web rust-web-src lld wasi-libc
set -eu
cd "$(dirname "$0")"
output=${1:-$PWD/static-tokens-rust-wasi.wasm}
target=wasm32-wasip1
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"

if command -v rustc >/dev/null && [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]; then
  cargo build --quiet --locked --release --target "$target"
elif [ -x /usr/bin/cargo ] && [ -x /usr/bin/rustc ] && [ -d /usr/lib/rustlib/src/rust/library ] && [ -f /usr/lib/wasm32-wasi/libc.a ] && command -v wasm-ld >/dev/null; then
  RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_WASIP1_LINKER=wasm-ld \
    RUSTFLAGS='-Clink-self-contained=no -Lnative=/usr/lib/wasm32-wasi' \
    /usr/bin/cargo build --quiet --locked --release --target "$target" -Zbuild-std=std,panic_abort
else
  echo "no Rust toolchain for $target: rustup target add $target" >&2
  exit 3
fi
install -m 644 "$CARGO_TARGET_DIR/$target/release/static_tokens.wasm" "$output"
