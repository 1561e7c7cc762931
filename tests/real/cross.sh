#!/usr/bin/env bash
# cargo for another target, with Debian's compiler, which comes with the library's sources: cross.sh TARGET SUBCOMMAND ARGUMENTS...
# `cross.sh TARGET std` builds the standard library once and installs it; it is built anew when the compiler is another.
# Needs rustc-web, cargo-web, rust-web-src, rust-web-clippy, and the target's linker.
set -euo pipefail

target=$1
subcommand=$2
shift 2
# Debian's compiler comes before one of rustup, and each has its own build folder.
export PATH=/usr/bin:$PATH
export CARGO_TARGET_DIR=${HSDIAG_CROSS_DIR:-target/debian}
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=/usr/lib/wine/wine64
mkdir -p "$CARGO_TARGET_DIR"
work=$(realpath "$CARGO_TARGET_DIR")

# standard_library: from Debian's sources, with both ways to panic and what tests need.
standard_library() {
    local seed=$work/seed parts=std,panic_abort,panic_unwind,test,proc_macro lib
    lib=$(rustc --print sysroot)/lib/rustlib/$target/lib
    if [ -e "$lib/built-by" ] && [ "$(cat "$lib/built-by")" = "$(rustc -vV)" ]; then
        return
    fi
    mkdir -p "$seed/src" "$lib"
    : >"$seed/src/lib.rs"
    printf '[package]\nname = "seed"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n[profile.release]\nstrip = "debuginfo"\n' >"$seed/Cargo.toml"
    # With bitcode, so that the program is optimised across it as the profile says.
    (cd "$seed" && RUSTFLAGS=-Cembed-bitcode=yes RUSTC_BOOTSTRAP=1 cargo build --release --target "$target" --target-dir "$seed/out" "-Zbuild-std=$parts")
    rm -f "$lib"/*.rlib
    cp "$seed/out/$target/release/deps"/lib*.rlib "$lib/"
    rm -f "$lib"/libseed-*
    rustc -vV >"$lib/built-by"
    rm -rf "$seed"
}

case $subcommand in
std) standard_library ;;
check-only)
    # For a target whose linker and libraries are not free to have: the types are checked, and nothing is linked.
    RUSTC_BOOTSTRAP=1 cargo check --target "$target" -Zbuild-std "$@"
    ;;
*) cargo "$subcommand" --target "$target" "$@" ;;
esac
