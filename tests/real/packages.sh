#!/usr/bin/env bash
# The packages hold what they must, and install: packages.sh DIR DIST [ARCHITECTURE…], x86_64 and aarch64 if none is named.
# Needs root, dpkg, man-db, unzip, jq, binutils. That they come out the same when they are built again is for `packaging/build.sh --twice` to see.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tally.sh
source "$here/tally.sh"
mkdir -p "$1"
dir=$(realpath "$1")
dist=$(realpath "$2")
root=$(realpath "$here/../..")
architectures=("${@:3}")
[ "${#architectures[@]}" -gt 0 ] || architectures=(x86_64 aarch64)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)

sums() {
    (cd "$dist" && sha256sum --quiet --check SHA256SUMS)
}
holds "the sums are those of the files" sums
# For each architecture of Linux a tarball, a .deb and an SBOM; for Windows a zip and an SBOM.
files=$((3 * ${#architectures[@]} + 2))
holds "the sums name every one of $files files" \
    test "$(grep -cE '(tar.gz|zip|deb|cdx.json)$' "$dist/SHA256SUMS") $(find "$dist" -name 'hsdiag*' | wc -l)" = "$files $files"

deb=$dist/hsdiag_${version}_amd64.deb
trap 'dpkg --purge hsdiag >/dev/null 2>&1 || true' EXIT
# A machine may be one that leaves manual pages and documents out.
holds "the .deb installs" dpkg --path-include='/usr/share/man/*' --path-include='/usr/share/doc/*' --install "$deb"
holds "the installed program is this version" test "$(/usr/bin/hsdiag --version)" = "hsdiag $version"
says "the installed hsdiag lists ports" 0 '/dev/tty|There is no serial port' /usr/bin/hsdiag ports
# `man` itself may be one that says that it was left out.
manual=$(command -v man.REAL || command -v man)
manual() {
    MANROFFOPT=-ww MANWIDTH=80 "$manual" --warnings "$1" >"$dir/$1.txt" 2>"$dir/$1.err" && [ -s "$dir/$1.txt" ] && [ ! -s "$dir/$1.err" ]
}
holds "man hsdiag has a page" manual hsdiag
holds "it names sweep" grep -q 'hsdiag.sweep(1)' "$dir/hsdiag.txt"
holds "man hsdiag-flash has a page" manual hsdiag-flash
holds "it has examples" grep -q 'hsdiag flash /dev/ttyUSB0' "$dir/hsdiag-flash.txt"
completes() {
    bash -c 'source /usr/share/bash-completion/completions/hsdiag && COMP_WORDS=(hsdiag sw) COMP_CWORD=1 && _hsdiag hsdiag sw hsdiag && echo "${COMPREPLY[*]}"' |
        grep -qx sweep
}
holds "bash completes a command" completes
doc=/usr/share/doc/hsdiag
holds "the udev rule is there to copy" grep -q latency_timer "$doc/examples/70-hsdiag.rules"
holds "the licenses are there" test -s "$doc/copyright" -a -n "$(zcat "$doc/THIRD-PARTY.gz" | grep -m 1 '^serialport .*MPL-2.0')"
paths=$(strings -a /usr/bin/hsdiag | grep -F -e "$root/" -e "$(realpath "${CARGO_HOME:-$HOME/.cargo}")/" || true)
holds "the program does not tell where it was built" test -z "$paths"
holds "the .deb goes" dpkg --purge hsdiag
holds "nothing of it is left" test ! -e /usr/bin/hsdiag -a ! -e "$doc"

# has NAME ARCHIVE-LISTING FILE...: the listing names each of the files.
has() {
    local name=$1 listing=$2 file missing=''
    shift 2
    for file in "$@"; do
        grep -qE "^hsdiag-[^/]*/$file\$" <<<"$listing" || missing="$missing $file"
    done
    [ -z "$missing" ] || echo "$name lacks$missing"
    holds "$name holds the program, its licenses and documents" test -z "$missing"
}
common=(LICENSE-MIT LICENSE-APACHE THIRD-PARTY README.md docs/platforms.md)
has "the zip" "$(unzip -Z1 "$dist/hsdiag-$version-windows-x86_64.zip")" hsdiag.exe completions/_hsdiag.ps1 "${common[@]}"
for architecture in "${architectures[@]}"; do
    has "the tarball for $architecture" "$(tar --list --gzip --file "$dist/hsdiag-$version-linux-$architecture.tar.gz")" \
        hsdiag man/hsdiag.1 completions/hsdiag.bash 70-hsdiag.rules "${common[@]}"
done
for package in "$dist"/*.deb; do
    wanted=${package##*_}
    holds "$(basename "$package") is for ${wanted%.deb}" test "$(dpkg-deb --field "$package" Architecture)" = "${wanted%.deb}"
done
for bom in "$dist"/*.cdx.json; do
    holds "$(basename "$bom") names each library once, with a license" jq -e '
        (.components | length) > 50 and ([.components[]."bom-ref"] | length == (unique | length))
        and all(.components[]; .licenses and .version) and any(.components[]; .name == "serialport" and .hashes)
        and ([.dependencies[].dependsOn[]] - [.components[]."bom-ref"] == [])' "$bom"
done

tally
