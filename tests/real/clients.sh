#!/usr/bin/env bash
# Programs that others wrote open their handshake with a simulated device on a pseudo-terminal: clients.sh DIR HSDIAG
# Each runs three times: against the device it is for, and against two that must make it fail. Needs stm32flash, avrdude, mbpoll.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tally.sh
source "$here/tally.sh"
# shellcheck source=simulated.sh
source "$here/simulated.sh"
simulated "$1" "$2"

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
