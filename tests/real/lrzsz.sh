#!/usr/bin/env bash
# lrzsz receives what hsdiag sends by XMODEM and YMODEM on a pseudo-terminal: lrzsz.sh DIR HSDIAG
# Needs lrzsz, socat. XMODEM carries no length: the receiver's file ends in the filling of the last block.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tally.sh
source "$here/tally.sh"
mkdir -p "$1"
dir=$(realpath "$1")
hsdiag=$(realpath "$2")
line=$dir/line
receiver=
trap '[ -z "$receiver" ] || kill "$receiver" 2>/dev/null || true' EXIT

# Random, and no whole number of blocks; the last byte is none that fills.
{ head -c 5002 /dev/urandom && printf '\x55'; } >"$dir/image.bin"

# receives NAME BLOCK RECEIVER -- HOST...: the receiver runs in an empty folder; hsdiag says "sent, not verified" (4), the receiver is
# content, and what it has is the image, filled up to a whole BLOCK (0: not filled).
receives() {
    local name=$1 block=$2 code=0 content=1 got
    local command=$3
    shift 3
    rm -rf "$dir/got" "$line"
    mkdir "$dir/got"
    (cd "$dir/got" && exec timeout 60 socat "PTY,link=$line,raw,echo=0,wait-slave" "EXEC:$command" >"$dir/receiver.log" 2>&1) &
    receiver=$!
    for _ in $(seq 100); do
        [ ! -e "$line" ] || break
        sleep 0.05
    done
    timeout 60 "$hsdiag" flash "$line" "$dir/image.bin" --base 0 --yes "$@" >"$dir/said" 2>&1 </dev/null || code=$?
    wait "$receiver" && content=0
    receiver=
    got=$(find "$dir/got" -type f)
    if [ "$code" = 4 ] && [ "$content" = 0 ] && arrived "$got" "$block"; then
        holds "$name" true
    else
        holds "$name" false
        printf '        hsdiag ended with %s (wanted 4), the receiver with %s; it has %s\n' "$code" "$content" "${got:-nothing}"
        tail -n 20 "$dir/said" "$dir/receiver.log" | sed 's/^/        /'
    fi
}

# arrived FILE BLOCK
arrived() {
    local size=5003 filled
    [ -f "$1" ] || return 1
    cmp -n "$size" "$dir/image.bin" "$1" || return 1
    filled=$(($2 == 0 ? size : (size + $2 - 1) / $2 * $2))
    [ "$(stat -c %s "$1")" = "$filled" ]
}

receives "rx -c receives an image by XMODEM with CRCs" 128 'rx -b -q -c out.bin' --protocol xmodem
receives "rx receives an image by XMODEM with sums" 128 'rx -b -q out.bin' --protocol xmodem --set kind=2
receives "rx -c receives an image by XMODEM-1K" 1024 'rx -b -q -c out.bin' --protocol xmodem --set kind=1
receives "rb receives an image by YMODEM" 0 'rb -b -q' --protocol ymodem --set name=fw.bin
holds "rb named the file as it was told" test -f "$dir/got/fw.bin"

tally
