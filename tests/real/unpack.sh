#!/usr/bin/env bash
# The programs out of the packages, as a user gets them: unpack.sh DIST DIR leaves DIR/hsdiag and DIR/hsdiag.exe, and DIR/hsdiag-aarch64 if there is one.
set -euo pipefail

dist=$(realpath "$1")
rm -rf "$2"
mkdir -p "$2/files"
cd "$2"
unzip -q "$dist"/hsdiag-*-windows-x86_64.zip -d files
for tarball in "$dist"/hsdiag-*.tar.gz; do
    tar --extract --gzip --file "$tarball" --directory files
done
ln files/hsdiag-*-windows-x86_64/hsdiag.exe hsdiag.exe
ln files/hsdiag-*-linux-x86_64/hsdiag hsdiag
if [ -d files/hsdiag-*-linux-aarch64 ]; then
    ln files/hsdiag-*-linux-aarch64/hsdiag hsdiag-aarch64
fi
