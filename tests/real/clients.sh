#!/usr/bin/env bash
# Programs that others wrote open their handshake with a simulated device on a pseudo-terminal: clients.sh DIR HSDIAG
# Each runs three times: against the device it is for, and against two that must make it fail. Needs stm32flash, avrdude, mbpoll.
set -euo pipefail

# shellcheck source=tally.sh
source "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/tally.sh"
mkdir -p "$1"
dir=$(realpath "$1")
hsdiag=$(realpath "$2")
line=$dir/line
device=
limit=60
trap '[ -z "$device" ] || kill "$device" 2>/dev/null || true' EXIT

# against DEVICE COMMAND...: runs the command while DEVICE is simulated at $line; its output is in $dir/said, its exit code is handed on.
against() {
    local name=$1 code=0
    shift
    rm -f "$line"
    "$hsdiag" simulate "$name" --link "$line" >"$dir/device.log" 2>&1 </dev/null &
    device=$!
    for _ in $(seq 100); do
        [ ! -e "$line" ] || break
        kill -0 "$device" 2>/dev/null || break
        sleep 0.05
    done
    if [ ! -e "$line" ]; then
        echo "hsdiag simulate $name gave no pseudo-terminal:" >"$dir/said"
        cat "$dir/device.log" >>"$dir/said"
        code=99
    else
        timeout "$limit" "$@" >"$dir/said" 2>&1 </dev/null || code=$?
    fi
    kill -INT "$device" 2>/dev/null || true
    wait "$device" 2>/dev/null || true
    device=
    return "$code"
}

# opens NAME PATTERN DEVICE COMMAND...: the command succeeds and says PATTERN.
opens() {
    local name=$1 pattern=$2 code=0
    shift 2
    against "$@" || code=$?
    if [ "$code" = 0 ] && grep -Eq "$pattern" "$dir/said"; then
        holds "$name" true
    else
        holds "$name" false
        printf '        exit code %s; "%s" was looked for in:\n' "$code" "$pattern"
        tail -n 25 "$dir/said" | sed 's/^/        /'
        echo "        the device said:"
        tail -n 10 "$dir/device.log" | sed 's/^/        /'
    fi
}

# refuses NAME PATTERN DEVICE COMMAND...: the device is there, and the command fails (or is still trying after 15 s) without saying PATTERN.
refuses() {
    local name=$1 pattern=$2 code=0 limit=15
    shift 2
    against "$@" || code=$?
    if [ "$code" != 99 ] && [ "$code" != 0 ] && ! grep -Eq "$pattern" "$dir/said"; then
        holds "$name" true
    else
        holds "$name" false
        printf '        exit code %s, with:\n' "$code"
        tail -n 15 "$dir/said" | sed 's/^/        /'
    fi
}

stm32flash=(stm32flash -m 8n1 -b 57600 "$line")
identified='Device ID[[:space:]]*:[[:space:]]*0x0*[1-9a-f]'
opens "stm32flash identifies the simulated stm32" "$identified" 'stm32?baud=57600' "${stm32flash[@]}"
refuses "stm32flash fails at another protocol" "$identified" 'nmea?baud=57600' "${stm32flash[@]}"
refuses "stm32flash fails while the application runs" "$identified" 'stm32?baud=57600&app=1' "${stm32flash[@]}"

avrdude=(avrdude -c arduino -p m328p -b 115200 -P "$line")
signature='device signature = 0x1e950f'
opens "avrdude reads the signature of the simulated stk500v1" "$signature" 'stk500v1?baud=115200' "${avrdude[@]}"
refuses "avrdude fails at another protocol" "$signature" 'nmea?baud=115200' "${avrdude[@]}"
refuses "avrdude fails at another rate" "$signature" 'stk500v1?baud=57600' "${avrdude[@]}"

mbpoll=(mbpoll -m rtu -b 19200 -P none -a 1 -t 4 -r 1 -c 5 -1 "$line")
registers='^\[5\]:[[:space:]]*-?[0-9]'
opens "mbpoll reads five registers of the simulated modbus-rtu" "$registers" 'modbus-rtu?baud=19200&format=8N1' "${mbpoll[@]}"
refuses "mbpoll fails at another protocol" "$registers" 'nmea?baud=19200' "${mbpoll[@]}"
refuses "mbpoll fails at another rate" "$registers" 'modbus-rtu?baud=9600&format=8N1' "${mbpoll[@]}"

tally
