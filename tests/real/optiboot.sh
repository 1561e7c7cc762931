#!/usr/bin/env bash
# hsdiag writes, verifies and reads back through Optiboot on an emulated AVR, and avrdude verifies the same image: optiboot.sh DIR HSDIAG
# Needs simavr's library, arduino-core-avr (for Optiboot's source and avr-gcc), avrdude, gcc.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tally.sh
source "$here/tally.sh"
mkdir -p "$1"
dir=$(realpath "$1")
hsdiag=$(realpath "$2")
line=$dir/line
avr=
trap '[ -z "$avr" ] || kill "$avr" 2>/dev/null || true' EXIT

# The packaged optiboot_atmega328.hex runs over the end of the flash; built with one option less it fits its 512 bytes.
source=/usr/share/arduino/hardware/arduino/avr/bootloaders/optiboot/optiboot.c
avr-gcc -w -Os -fno-inline-small-functions -fno-split-wide-types -mshort-calls -mmcu=atmega328p \
    -DF_CPU=16000000L -DBAUD_RATE=115200 -DLED_START_FLASHES=0 -nostdlib -nostartfiles \
    -Wl,--section-start=.text=0x7e00 -Wl,--section-start=.version=0x7ffe -Wl,--relax -Wl,--gc-sections -o "$dir/optiboot.elf" "$source"
avr-objcopy -j .text -j .data -j .version --set-section-flags .version=alloc,load -O ihex "$dir/optiboot.elf" "$dir/optiboot.hex"
gcc -O2 -Wall -o "$dir/avr" "$here/optiboot/avr.c" -lsimavr -lelf

"$dir/avr" "$line" "$dir/optiboot.hex" >"$dir/avr.log" 2>&1 &
avr=$!
for _ in $(seq 100); do
    [ ! -e "$line" ] || break
    sleep 0.05
done

# Random bytes behind a jump to itself, which is what Optiboot starts.
image() {
    { printf '\xff\xcf' && head -c "$1" /dev/urandom; } >"$dir/$2"
}
image 3071 one.bin
image 3071 other.bin

flash=("$hsdiag" flash)
how=("$line" --protocol stk500v1 --begin-baud 115200 --reset-sequence none)
avrdude=(avrdude -c arduino -p m328p -b 115200 -P "$line" -D)

rm -f "$dir/read.bin"
says "hsdiag writes and verifies on Optiboot" 0 'verified' "${flash[@]}" "${how[@]}" "$dir/one.bin" --yes
says "avrdude verifies what hsdiag wrote" 0 '3073 bytes of flash verified' "${avrdude[@]}" -U "flash:v:$dir/one.bin:r"
says "avrdude does not verify another image" 1 'verification|mismatch' "${avrdude[@]}" -U "flash:v:$dir/other.bin:r"
says "hsdiag reads it back" 0 'read' "${flash[@]}" read "${how[@]}" --base 0 --size 3073 -o "$dir/read.bin"
holds "what hsdiag read back is the image" cmp "$dir/one.bin" "$dir/read.bin"
says "hsdiag does not verify another image" 1 'differ' "${flash[@]}" verify "${how[@]}" "$dir/other.bin"
says "avrdude writes another image" 0 '3073 bytes of flash verified' "${avrdude[@]}" -U "flash:w:$dir/other.bin:r"
says "hsdiag verifies what avrdude wrote" 0 'verified|equal' "${flash[@]}" verify "${how[@]}" "$dir/other.bin"

tally
