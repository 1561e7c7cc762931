#!/usr/bin/env bash
# The static program needs nothing of the system it runs on: static.sh DIR PROGRAM HSDIAG [EMULATOR]
# It runs in a folder that holds nothing else (with the emulator when it is of another processor, and then without ports: the emulator lacks
# their calls), and at the pseudo-terminal of a simulated device. HSDIAG is the usual build. Run as root; needs binutils.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tally.sh
source "$here/tally.sh"
# shellcheck source=simulated.sh
source "$here/simulated.sh"
simulated "$1" "$3"
program=$(realpath "$2")
emulator=${4:-}

rm -rf "$dir/empty"
mkdir "$dir/empty"
cp "$program" "$dir/empty/hsdiag"
# The program where there is nothing but itself: no library, no /proc, no /sys, no terminal description.
empty=(chroot "$dir/empty" /hsdiag)
if [ -n "$emulator" ]; then
    cp "$(command -v "$emulator")" "$dir/empty/emulator"
    empty=(chroot "$dir/empty" /emulator /hsdiag)
fi

# same NAME ARGUMENTS...: it says there what the usual build says here.
same() {
    local name=$1 code_here=0 code_there=0
    shift
    "$hsdiag" "$@" >"$dir/here" 2>"$dir/here.err" </dev/null || code_here=$?
    "${empty[@]}" "$@" >"$dir/there" 2>"$dir/there.err" </dev/null || code_there=$?
    holds "$name" test "$code_here" = "$code_there" -a -s "$dir/here" -a -z "$(cmp "$dir/here" "$dir/there" 2>&1)"
}

readelf --program-headers --dynamic "$program" >"$dir/headers"
holds "it is a program" grep -q LOAD "$dir/headers"
holds "it names no loader and no library" test -z "$(grep -E 'INTERP|NEEDED' "$dir/headers")"
same "explain 0x68 in an empty folder" explain 0x68
same "a simulated sweep in an empty folder" sweep 'sim://nmea?baud=4800&seed=1'
same "a simulated handshake in an empty folder" handshake 'sim://mbus?baud=2400&format=8E1&seed=1' --protocol mbus --baud 2400
same "the language of tables in an empty folder" protocols reference
says "without /sys there is no port, and it is said" 0 'There is no serial port' "${empty[@]}" ports
says "a port that is not there is named" 3 'there is no .*/dev/ttyUSB7' "${empty[@]}" monitor /dev/ttyUSB7

if [ -z "$emulator" ]; then
    opens "sweep on a pseudo-terminal" '9600 8N1, nmea' 'nmea?baud=9600' "$program" sweep "$line" --time 30s
    opens "handshake on a pseudo-terminal" 'the handshake is done' 'stm32?baud=115200' "$program" handshake "$line" --protocol stm32 --baud 115200
fi

tally
