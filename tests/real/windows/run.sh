#!/usr/bin/env bash
# hsdiag.exe under wine, its COM3 a device that hsdiag simulates on a pseudo-terminal: run.sh DIR HSDIAG EXE
# Needs wine64, mingw-w64, gcc, jq, python3.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../tally.sh
source "$here/../tally.sh"
# shellcheck source=../simulated.sh
source "$here/../simulated.sh"
# shellcheck source=wine.sh
source "$here/wine.sh"
simulated "$1" "$2"
program=$(realpath "$3")
rm -rf "$dir/prefix"
wine_prefix "$dir"
trap '[ -z "$device" ] || kill "$device" 2>/dev/null || true; wine_end' EXIT

exe=("$wine" "$program")
gcc -shared -fPIC -O2 -Wall -Wextra -o "$dir/lines.so" "$here/lines.c" -ldl
# A pseudo-terminal has modem lines and keeps a format only with this.
lines=(env "LD_PRELOAD=$dir/lines.so" "LINES_LOG=$dir/lines.log" "${exe[@]}")

# same NAME COMMAND...: hsdiag.exe says the same as hsdiag, line ends aside, and ends with the same code.
same() {
    local name=$1 code_here=0 code_there=0
    shift
    "$hsdiag" "$@" >"$dir/here" 2>"$dir/here.err" </dev/null || code_here=$?
    "${exe[@]}" "$@" >"$dir/there.crlf" 2>"$dir/there.err" </dev/null || code_there=$?
    # The commands to type next have the quotes of Windows' shells.
    tr -d '\r' <"$dir/there.crlf" | sed "/^ *hsdiag /s/\"\\(sim:[^\"]*\\)\"/'\\1'/g" >"$dir/there"
    [ -s "$dir/here" ] || echo "hsdiag $* says nothing" >"$dir/here"
    holds "$name" test "$code_here" = "$code_there" -a -z "$(cmp "$dir/here" "$dir/there" 2>&1)"
}

echo "hsdiag.exe has $(stat -c %s "$program") bytes"

same "explain 0x68 is byte-identical to Linux's" explain 0x68
same "explain 0x68 as JSON is byte-identical to Linux's" explain 0x68 --json
# Not its JSON: the last digits of a probability are the C library's.
same "a simulated sweep is byte-identical to Linux's" sweep 'sim://nmea?baud=4800&seed=1'
same "a result of no is the same" sweep 'sim://console?baud=9600&app=1&traffic=quiet' --json

says "the version is told without a terminal" 0 '^hsdiag [0-9]' "${exe[@]}" --version
says "COM3 is listed" 0 '^COM3 ' "${exe[@]}" ports
says "COM0 is refused" 2 '`COM0` is not a COM port; they are COM1 to COM256' "${exe[@]}" monitor COM0
says "COM999 is refused" 2 '`COM999` is not a COM port; they are COM1 to COM256' "${exe[@]}" monitor COM999
says "a path behind a COM name is refused" 2 'nothing stands behind its number' "${exe[@]}" monitor 'COM3\x'
says "a path to a COM name is refused" 2 'is a path; serial ports of Windows are COM1 to COM256' "${exe[@]}" monitor 'C:\COM3'
says "a port that is not there is named" 3 'there is no port COM77' "${exe[@]}" monitor com77

code=0
{ "${exe[@]}" protocols reference </dev/null 2>"$dir/said" || echo "code $?" >>"$dir/said"; } | head -n 1 >"$dir/head"
holds "a reader that goes away is no failure" test -s "$dir/head" -a ! -s "$dir/said"

own=$WINEPREFIX/drive_c/users/$(id -un)/AppData/Roaming/hsdiag/protocols
mkdir -p "$own"
sed 's/^name *= .*/name = "mine"/' "$here/../../../protocols/errno.toml" >"$own/mine.toml"
says "a table in %APPDATA% is found" 0 '^ *mine ' "${exe[@]}" protocols list
rm -r "$own"

# The registry of an FT232R, as FTDI's driver leaves it.
ftdi='HKLM\System\CurrentControlSet\Enum\FTDIBUS\VID_0403+PID_6001+A50285BIA\0000'
for value in 'ClassGUID {4D36E978-E325-11CE-BFC1-08002BE10318}' 'Class Ports' 'Service FTSER2K' 'FriendlyName USB Serial Port (COM3)'; do
    "$wine" reg add "$ftdi" /v "${value%% *}" /d "${value#* }" /f </dev/null >/dev/null 2>&1
done
"$wine" reg add "$ftdi" /v HardwareID /t REG_MULTI_SZ /d 'FTDIBUS\COMPORT&VID_0403&PID_6001' /f </dev/null >/dev/null 2>&1
"$wine" reg add "$ftdi\\Device Parameters" /v PortName /d COM3 /f </dev/null >/dev/null 2>&1
"$wine" reg add "$ftdi\\Device Parameters" /v LatencyTimer /t REG_DWORD /d 16 /f </dev/null >/dev/null 2>&1
says "a port is called as in Device Manager" 0 'USB Serial Port \(COM3\)' "${exe[@]}" ports
says "a latency timer of FTDI has its advice" 0 'COM3 hands bytes over up to 16 ms late' "${exe[@]}" ports
"$wine" reg delete "$ftdi" /f </dev/null >/dev/null 2>&1

holds "hsdiag.exe is smaller than 12 MB" [ "$(stat -c %s "$program")" -lt 12000000 ]
opens "sweep COM3 names 9600 8N1" '^COM3: 9600 8N1, nmea' 'nmea?baud=9600' "${exe[@]}" sweep COM3 --time 50s
opens "sweep COM3 names 115200 8N1" '^COM3: 115200 8N1, nmea' 'nmea?baud=115200' "${exe[@]}" sweep COM3 --time 50s
opens "sweep COM3 --probe names 19200 8E1" '^COM3: 19200 8E1, mbus' 'mbus?baud=19200&format=8E1' \
    "${lines[@]}" sweep COM3 --probe --protocol mbus
opens 'handshake \\.\COM3 opens a stm32' 'the handshake is done' 'stm32?baud=115200' \
    "${lines[@]}" handshake '\\.\COM3' --protocol stm32 --baud 115200
holds "the format was 8E1 on the line" grep -q '^FORMAT=8E1' "$dir/lines.log"
holds "DTR and RTS were raised" grep -q '^DTR=1 RTS=1' "$dir/lines.log"

# The vectors of a Cortex-M, and random bytes, not a whole number of any page.
{ printf '\x00\x50\x00\x20\x01\x01\x00\x08' && head -c 4995 /dev/urandom; } >"$dir/image.bin"
windows_image=Z:$(tr / '\\' <<<"$dir/image.bin")
bootloader=(--protocol stm32 --begin-baud 115200 --no-reset)
rm -f "$dir/back.bin"
opens "flash writes and verifies the simulated stm32, and Linux reads it back" 'read' 'stm32?baud=115200' \
    bash "$here/../in_turn.sh" "${lines[@]}" flash COM3 "$windows_image" "${bootloader[@]}" --yes / \
    "$hsdiag" flash read "$line" "${bootloader[@]}" --base 0x08000000 --size 5003 -o "$dir/back.bin"
holds "flash said that it verified" grep -q 'verified' "$dir/said"
holds "what Linux reads is what Windows wrote" cmp "$dir/image.bin" "$dir/back.bin"

# shows_a_device: hsdiag.exe simulates a device behind a socket, and hsdiag opens a handshake with it.
shows_a_device() {
    local simulated address='' code=0
    : >"$dir/offered" # an earlier run may have left an address
    "${exe[@]}" simulate 'mbus?baud=9600' --rfc2217 127.0.0.1:0 --json >"$dir/offered" 2>/dev/null </dev/null &
    simulated=$!
    # wine takes seconds to begin on a busy machine.
    for _ in $(seq 1200); do
        address=$(tr -d '\r' <"$dir/offered" | jq -r '.address // empty' 2>/dev/null || true)
        [ -z "$address" ] && kill -0 "$simulated" 2>/dev/null || break
        sleep 0.05
    done
    timeout 60 "$hsdiag" handshake "$address" --protocol mbus --baud 9600 >"$dir/said" 2>&1 </dev/null || code=$?
    kill -KILL "$simulated" 2>/dev/null || true
    wait "$simulated" 2>/dev/null || true
    [ "$code" = 0 ]
}
holds "hsdiag.exe simulates a device behind a socket" shows_a_device

# What a driver does not do is told.
opens "another rate than the one asked is told" 'asked for 74880 baud, the driver set 38400' 'nmea?baud=38400' \
    "${exe[@]}" monitor COM3 --baud 74880 --time 1s
against 'nmea?baud=9600' "${exe[@]}" monitor COM3 --format 8E1 --time 1s || true
holds "a format that the port does not keep is refused" grep -q 'COM3 cannot do 8E1 (the driver keeps another format)' "$dir/said"
against 'nmea?baud=9600' "${exe[@]}" monitor COM3 --format 7N1 --time 1s || true
holds "a format that the port does not take is refused" grep -q 'COM3 cannot do 7N1' "$dir/said"

# settings_of FILE: rate, format and flow control that the port has now. What else a terminal has is wine's business.
settings_of() {
    stty -F "$line" -a | grep -oE 'speed [0-9]+|cs[5-8]|-?(parenb|parodd|cstopb|crtscts|ixon|ixoff)' >"$1"
}

# interrupted HOW: Ctrl-C in the middle of a sweep ends with 130 and what is known, and the port is as it was.
interrupted() {
    local code=0
    settings_of "$dir/before"
    timeout 90 python3 "$here/interrupt.py" "$1" "${exe[@]}" -v sweep COM3 --time 60s --json >"$dir/interrupted" || code=$?
    settings_of "$dir/after"
    echo "exit code $code"
    [ -s "$dir/before" ] && diff "$dir/before" "$dir/after" && [ "$code" = 130 ]
}
# A device that says nothing by itself.
opens "Ctrl-C by signal ends a sweep with 130, and the port is as it was" 'exit code 130' 'stm32?baud=115200' interrupted signal
holds "what is known is told" grep -q '"interrupted": true' "$dir/interrupted"
opens "Ctrl-C typed on a terminal ends a sweep with 130, and the port is as it was" 'exit code 130' 'stm32?baud=115200' interrupted typed

# vanishes: the device goes while a sweep listens.
vanishes() {
    local code=0 sweep
    : >"$dir/vanished.err"
    timeout 60 "${exe[@]}" -v sweep COM3 --time 50s --json >"$dir/vanished" 2>"$dir/vanished.err" &
    sweep=$!
    for _ in $(seq 200); do
        ! grep -q 'opened Native' "$dir/vanished.err" || break
        sleep 0.05
    done
    sleep 1
    kill -KILL "$device"
    wait "$sweep" || code=$?
    echo "exit code $code"
    [ "$code" = 3 ]
}
opens "a port that goes ends a sweep with 3" 'exit code 3' 'stm32?baud=115200' vanishes
holds "it says that the port has gone, and what is known" grep -q '"message": "COM3 has vanished' "$dir/vanished"

tally
