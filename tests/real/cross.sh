#!/usr/bin/env bash
# cargo for another target, with Debian's compiler, which comes with the library's sources: cross.sh TARGET SUBCOMMAND ARGUMENTS...
# `cross.sh TARGET std` builds the standard library once and installs it; it is built anew when the compiler or this way to build it is another.
# Needs rustc-web, cargo-web, rust-web-src, rust-web-clippy; for x86_64-pc-windows-gnu mingw-w64, for x86_64-unknown-linux-musl gcc, musl-dev
# and libunwind-19-dev, for aarch64-unknown-linux-musl gcc-aarch64-linux-gnu, and qemu-user-static to run what was built.
set -euo pipefail

target=$1
subcommand=$2
shift 2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Debian's compiler comes before one of rustup, and each has its own build folder.
export PATH=/usr/bin:$PATH
export CARGO_TARGET_DIR=${HSDIAG_CROSS_DIR:-target/debian}
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=/usr/lib/wine/wine64
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUNNER=qemu-aarch64-static
mkdir -p "$CARGO_TARGET_DIR"
work=$(realpath "$CARGO_TARGET_DIR")

# of_debian ARCHITECTURE FOLDER PACKAGE...: what the packages hold, in a folder; nothing is installed.
of_debian() {
    local architecture=$1 folder=$2 package
    shift 2
    rm -rf "$folder"
    mkdir -p "$folder/apt/lists/partial" "$folder/apt/archives/partial"
    printf 'APT::Architectures { "%s"; };\nDir::State::lists "%s/apt/lists";\nDir::Cache "%s/apt";\n' "$architecture" "$folder" "$folder" >"$folder/apt.conf"
    (
        export APT_CONFIG=$folder/apt.conf
        cd "$folder/apt"
        apt-get update
        apt-get download "${@/%/:$architecture}"
    )
    for package in "$folder"/apt/*.deb; do
        dpkg-deb --extract "$package" "$folder"
    done
    rm -r "$folder/apt" "$folder/apt.conf"
}

# static_parts FOLDER: what a static program of musl begins and ends with, its C library and its unwinder, where the compiler looks for them.
static_parts() {
    local kind=${target%%-*} root='' compiler=gcc object
    if [ "$kind" != "$(uname -m)" ]; then
        root=$work/foreign
        compiler=$kind-linux-gnu-gcc
        of_debian arm64 "$root" musl-dev libunwind-19-dev
    fi
    mkdir -p "$1"
    cp "$root/usr/lib/$kind-linux-musl"/{rcrt1.o,crt1.o,crti.o,crtn.o,libc.a} "$1/"
    for object in crtbegin.o crtend.o crtbeginS.o crtendS.o; do
        cp "$("$compiler" -print-file-name="$object")" "$1/"
    done
    cp "$root/usr/lib/llvm-19/lib/libunwind.a" "$1/"
    # LLVM's unwinder was built with another C library and wants one function that musl lacks.
    "$compiler" -O2 -fPIC -c -o "$work/checked.o" "$here/checked.c"
    ar rD "$1/libunwind.a" "$work/checked.o" 2>/dev/null
    rm -r "$work/checked.o" ${root:+"$root"}
}

# standard_library: from Debian's sources, with both ways to panic and what tests need.
standard_library() {
    local seed=$work/seed parts=std,panic_abort,panic_unwind,test,proc_macro lib made
    lib=$(rustc --print sysroot)/lib/rustlib/$target/lib
    made=$(rustc -vV && sha256sum <"${BASH_SOURCE[0]}")
    if [ -e "$lib/built-by" ] && [ "$(cat "$lib/built-by")" = "$made" ]; then
        return
    fi
    rm -rf "$lib" "$seed"
    mkdir -p "$seed/src" "$lib"
    [[ $target != *-musl ]] || static_parts "$lib/self-contained"
    : >"$seed/src/lib.rs"
    printf '[package]\nname = "seed"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n[profile.release]\nstrip = "debuginfo"\n' >"$seed/Cargo.toml"
    # With bitcode, so that the program is optimised across it as the profile says; without the path of the crates it is made of.
    (
        cd "$seed"
        export RUSTC_BOOTSTRAP=1
        RUSTFLAGS="-Cembed-bitcode=yes --remap-path-prefix=$(realpath "${CARGO_HOME:-$HOME/.cargo}")=/cargo" \
            cargo build --release --target "$target" --target-dir "$seed/out" "-Zbuild-std=$parts"
    )
    cp "$seed/out/$target/release/deps"/lib*.rlib "$lib/"
    rm -f "$lib"/libseed-*
    printf '%s\n' "$made" >"$lib/built-by"
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
