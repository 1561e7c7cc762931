#!/usr/bin/env bash
# Frames of real devices, sent again over a pseudo-terminal at several rates, are found by a sweep: recordings.sh DIR HSDIAG DATA
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tally.sh
source "$here/tally.sh"
# shellcheck source=simulated.sh
source "$here/simulated.sh"
simulated "$1" "$2"
frames=$dir/frames
python3 "$here/recordings.py" "$3" "$frames"

# found PROTOCOL BAUD: the frames of that protocol at that rate.
found() {
    opens "frames of a real device ($1) are found at $2 baud" \
        "\"verdict\":\"found\",\"settings\":\[\{\"baud\":$2,[^}]*\"protocol\":\"$1\"" \
        "replay://$frames/$1.jsonl?baud=$2" bash -c '"$0" sweep "$1" --json | jq -c .' "$hsdiag" "$line"
}

# Bus protocols take a pause for the end of a frame, and a busy machine makes pauses of its own: they are heard at rates at which theirs are longer.
found mbus 2400
found mbus 4800
found modbus-rtu 9600
found modbus-rtu 19200
found dlt645 2400
found dlt645 9600
found ubx 38400
found ubx 460800

tally
