#!/usr/bin/env bash
# Programs that others wrote flash simulated devices on a pseudo-terminal, verify, and read back: flashers.sh DIR HSDIAG
# Each also meets a device that it must not call verified. Needs stm32flash, avrdude, python3-venv.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tally.sh
source "$here/tally.sh"
# shellcheck source=simulated.sh
source "$here/simulated.sh"
simulated "$1" "$2"

# Random, not a whole number of any page; and one that deflates well.
image=$dir/image.bin
text=$dir/text.bin
head -c 5003 /dev/urandom >"$image"
seq -f 'line %g of an image that deflates well' 1 250 >"$text"

in_turn=(bash "$here/in_turn.sh")

# same NAME FILE: what was read back is the image, byte by byte.
same() {
    holds "$1" cmp -n "$(stat -c %s "$image")" "$image" "$2"
}

stm32=(stm32flash -m 8n1 -b 115200)
written='Wrote and verified address 0x0800138b \(100\.00%\) Done'
rm -f "$dir/stm32.bin"
opens "stm32flash writes, verifies and reads back on the simulated stm32" "$written" 'stm32?baud=115200' \
    "${in_turn[@]}" "${stm32[@]}" -w "$image" -v "$line" / "${stm32[@]}" -c -r "$dir/stm32.bin" -S 0x08000000:5003 "$line"
same "stm32flash read the image back" "$dir/stm32.bin"
refuses "stm32flash does not verify what a damaged line carried" "$written" 'stm32?baud=115200&fault=damage' \
    "${stm32[@]}" -n 1 -w "$image" -v "$line"

verified='5003 bytes of flash verified'
# avr NAME PART PROGRAMMER READS: also reads the whole flash back, where that is READS.
avr() {
    local name=$1 reads=()
    local avrdude=(avrdude -c "$3" -p "$2" -b 115200 -P "$line" -D)
    rm -f "$dir/$name.bin"
    [ "$4" != whole ] || reads=(-U "flash:r:$dir/$name.bin:r")
    opens "avrdude writes and verifies on the simulated $name" "$verified" "$name?baud=115200" \
        "${avrdude[@]}" -U "flash:w:$image:r" -U "flash:v:$image:r" "${reads[@]}"
    [ "$4" != whole ] || same "avrdude read the image back from $name" "$dir/$name.bin"
    refuses "avrdude does not verify what a damaged $name says" "$verified" "$name?baud=115200&fault=damage" \
        "${avrdude[@]}" -U "flash:w:$image:r"
}
avr stk500v1 m328p arduino whole
avr stk500v2 m2560 wiring verify # its 256 KiB would take half a minute

python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet 'esptool>=5,<6' 'smpclient>=7,<8'
esp=("$dir/venv/bin/esptool" --port "$line" --baud 115200 --before no-reset --after no-reset --no-stub)
hash='Hash of data verified'
same_digest='Verification successful'
rm -f "$dir/esp.bin"
opens "esptool writes and verifies on the simulated esp-rom" "$hash" 'esp-rom?baud=115200' \
    "${esp[@]}" write-flash 0x10000 "$image"
opens "esptool writes deflated, and verifies" "$same_digest" 'esp-rom?baud=115200' \
    "${in_turn[@]}" "${esp[@]}" write-flash --compress 0x10000 "$text" / "${esp[@]}" verify-flash 0x10000 "$text"
holds "what esptool wrote went deflated" grep -q 'Compressed .* bytes to ' "$dir/said"
opens "esptool reads back what it wrote" 'Read 5003 bytes' 'esp-rom?baud=115200' \
    "${in_turn[@]}" "${esp[@]}" write-flash 0x10000 "$image" / "${esp[@]}" read-flash 0x10000 5003 "$dir/esp.bin"
same "esptool read the image back" "$dir/esp.bin"
refuses "esptool does not verify another image" "$same_digest" 'esp-rom?baud=115200' \
    "${in_turn[@]}" "${esp[@]}" write-flash 0x10000 "$image" / "${esp[@]}" verify-flash 0x10000 "$text"

# It resolves no links, and each answer says how far the device is.
uploaded='uploaded 5003 of 5003 bytes'
smp=(bash -c '"$0" "$1" "$(readlink -f "$2")" "$3"' "$dir/venv/bin/python" "$here/smp_upload.py" "$line" "$image")
opens "smpclient uploads to the simulated mcuboot-smp" "$uploaded" 'mcuboot-smp?baud=115200' "${smp[@]}"
refuses "smpclient does not upload to another protocol" "$uploaded" 'nmea?baud=115200' "${smp[@]}"

tally
