#!/bin/sh
# Builds ../official-sdk.wasm. With a rustup toolchain that has the target this is plain cargo; where no target can be
# downloaded, Debian's packages build the standard library along with the policy:
#   apt-get install --no-remove rustc-web cargo-web rust-web-src lld wasi-libc
set -eu
cd "$(dirname "$0")"
target=wasm32-wasip1
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"

if command -v rustc >/dev/null && [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]; then
  cargo build --quiet --locked --release --target "$target"
else
  libc=/usr/lib/wasm32-wasi
  RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_WASIP1_LINKER=wasm-ld \
    CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS="-C link-self-contained=no -L native=$libc -C link-arg=$libc/crt1-reactor.o" \
    /usr/bin/cargo build --quiet --locked --release --target "$target" -Zbuild-std=std,panic_abort
fi
install -m 644 "$CARGO_TARGET_DIR/$target/release/official_sdk.wasm" ../official-sdk.wasm
