#!/usr/bin/env bash
# Builds what is given to users into a folder: build.sh [--only TARGET …] [--twice] [DIST]
# A static program for any Linux, x86-64 and aarch64, each as a tarball and in a .deb; a zip for Windows; for each an SBOM; the SHA-256 sums of all.
# The same commit gives the same bytes wherever it is built with the same compiler: --twice builds a second time, from a clone in another folder,
# and fails when a byte differs. Needs what tests/real/cross.sh needs for the targets, git, python3, dpkg-deb.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
all=(x86_64-pc-windows-gnu aarch64-unknown-linux-musl x86_64-unknown-linux-musl)
targets=()
twice=
dist=dist
while [ $# -gt 0 ]; do
    case $1 in
    --only)
        case ${2:-} in
        x86_64-pc-windows-gnu | aarch64-unknown-linux-musl | x86_64-unknown-linux-musl) targets+=("$2") ;;
        *)
            echo "build.sh --only takes one of ${all[*]}" >&2
            exit 2
            ;;
        esac
        shift
        ;;
    --twice) twice=yes ;;
    -*)
        echo "build.sh [--only TARGET …] [--twice] [DIST]: what is $1?" >&2
        exit 2
        ;;
    *) dist=$1 ;;
    esac
    shift
done
[ "${#targets[@]}" -gt 0 ] || targets=("${all[@]}")
dist=$(realpath -m "$dist")
cd "$root"
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
if [ -n "$twice" ] && [ -n "$(git status --porcelain)" ]; then
    echo "build.sh --twice compares builds of a commit: commit or stash what has changed first" >&2
    exit 2
fi

export LC_ALL=C TZ=UTC PYTHONDONTWRITEBYTECODE=1
umask 022
# The time of the commit is the time of every file.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
work=$(realpath -m "${HSDIAG_PACKAGES_DIR:-target/packages}")
stage=$work/stage
rm -rf "$stage"
mkdir -p "$stage" "$dist"
rm -f "$dist/hsdiag"* "$dist/SHA256SUMS"

# program TARGET: each is built in a folder of its own, so that they can be built side by side.
program() {
    local target=$1 cargo_home
    cargo_home=$(realpath "${CARGO_HOME:-$HOME/.cargo}")
    export HSDIAG_CROSS_DIR=$work/$target
    mkdir -p "$HSDIAG_CROSS_DIR"
    bash tests/real/cross.sh "$target" std
    # No path of the machine that builds.
    RUSTFLAGS="--remap-path-prefix=$root=/hsdiag --remap-path-prefix=$cargo_home=/cargo --remap-path-prefix=$HSDIAG_CROSS_DIR=/target" \
        bash tests/real/cross.sh "$target" build --release --locked --bin hsdiag
}

# side_by_side COMMAND TARGET...: the command for each target at once; it fails when one fails.
side_by_side() {
    local command=$1 running=() one
    shift
    for one in "$@"; do
        "$command" "$one" &
        running+=($!)
    done
    for one in "${running[@]}"; do wait "$one"; done
}

# files FOLDER TARGET: what every archive holds beside the program.
files() {
    mkdir -p "$1"
    cp README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT "$1/"
    python3 "$here/third_party.py" "$2" >"$1/THIRD-PARTY"
    cp -r docs "$1/docs"
}

# settled FOLDER: one time and one mode for all, so that an archive of it is always the same.
settled() {
    find "$1" -type d -exec chmod 755 {} +
    find "$1" -type f -exec chmod u=rwX,go=rX {} +
    find "$1" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
}

tarball() {
    local name=hsdiag-$version-linux-$2 folder
    folder=$stage/$name
    files "$folder" "$1"
    install -m 755 "$work/$1/$1/release/hsdiag" "$folder/hsdiag"
    cp -r "$stage/manual/man" "$stage/manual/completions" "$here/70-hsdiag.rules" "$folder/"
    settled "$folder"
    tar --create --format=gnu --sort=name --owner=0 --group=0 --numeric-owner --directory="$stage" "$name" |
        gzip --no-name --best >"$dist/$name.tar.gz"
}

deb() {
    local target=$1 architecture=$2 folder=$stage/deb-$2 page doc
    doc=$folder/usr/share/doc/hsdiag
    install -D -m 755 "$work/$target/$target/release/hsdiag" "$folder/usr/bin/hsdiag"
    mkdir -p "$folder/usr/share/man/man1" "$folder/DEBIAN"
    for page in "$stage"/manual/man/*.1; do
        gzip --no-name --best <"$page" >"$folder/usr/share/man/man1/$(basename "$page").gz"
    done
    install -D -m 644 "$stage/manual/completions/hsdiag.bash" "$folder/usr/share/bash-completion/completions/hsdiag"
    install -D -m 644 "$stage/manual/completions/_hsdiag" "$folder/usr/share/zsh/vendor-completions/_hsdiag"
    install -D -m 644 "$stage/manual/completions/hsdiag.fish" "$folder/usr/share/fish/vendor_completions.d/hsdiag.fish"
    install -D -m 644 "$here/70-hsdiag.rules" "$doc/examples/70-hsdiag.rules"
    cp -r README.md CHANGELOG.md docs "$doc/"
    { cat "$here/debian/copyright" && sed -e 's/^$/./' -e 's/^/ /' LICENSE-MIT; } >"$doc/copyright"
    python3 "$here/third_party.py" "$target" | gzip --no-name --best >"$doc/THIRD-PARTY.gz"
    printf 'hsdiag (%s) unstable; urgency=medium\n\n  * What is different is in CHANGELOG.md.\n\n -- %s  %s\n' "$version" \
        "$(sed -n 's/^Maintainer: //p' "$here/debian/control")" "$(date --rfc-email --date="@$SOURCE_DATE_EPOCH")" |
        gzip --no-name --best >"$doc/changelog.gz"
    sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" \
        -e "s/@SIZE@/$(du --apparent-size -k -s "$folder/usr" | cut -f 1)/" "$here/debian/control" >"$folder/DEBIAN/control"
    (cd "$folder" && find usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
    settled "$folder"
    dpkg-deb --root-owner-group -Zxz --threads-max=1 --build "$folder" "$dist/hsdiag_${version}_$architecture.deb" >/dev/null
}

for_windows() {
    local name=hsdiag-$version-windows-$2 folder
    folder=$stage/$name
    files "$folder" "$1"
    cp "$work/$1/$1/release/hsdiag.exe" "$folder/"
    mkdir "$folder/completions"
    cp "$stage/manual/completions/_hsdiag.ps1" "$folder/completions/"
    settled "$folder"
    python3 "$here/zip.py" "$folder" "$dist/$name.zip"
}

# for_linux TARGET ARCHITECTURE DEBIAN'S-NAME-OF-IT
for_linux() {
    tarball "$1" "$2"
    deb "$1" "$3"
}

side_by_side program "${targets[@]}"
cargo run --quiet --locked --example manual -- "$stage/manual"
for target in "${targets[@]}"; do
    case $target in
    x86_64-unknown-linux-musl) for_linux "$target" x86_64 amd64 ;;
    aarch64-unknown-linux-musl) for_linux "$target" aarch64 arm64 ;;
    x86_64-pc-windows-gnu) for_windows "$target" x86_64 ;;
    esac
    python3 "$here/sbom.py" "$target" >"$dist/hsdiag-$version-$target.cdx.json"
done
(cd "$dist" && sha256sum hsdiag* >SHA256SUMS && cat SHA256SUMS)
rm -rf "$stage"

if [ -n "$twice" ]; then
    again=$work/again
    rm -rf "$again"
    git clone --quiet --no-hardlinks "$root" "$again"
    only=()
    for target in "${targets[@]}"; do only+=(--only "$target"); done
    HSDIAG_PACKAGES_DIR=$again/packages bash "$again/packaging/build.sh" "${only[@]}" "$again/dist" >/dev/null
    diff "$dist/SHA256SUMS" "$again/dist/SHA256SUMS"
    rm -rf "$again"
    echo "a second build from a clone gives the same bytes"
fi
