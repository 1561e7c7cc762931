#!/usr/bin/env bash
# Judges what the guest told: judge.sh RESULTS
set -euo pipefail

results=$1
# shellcheck source=../tally.sh
source "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/../tally.sh"

code_of() { awk -v name="$1" '$1 == "==" && $2 == name { print $3 }' "$results"; }
output_of() { awk -v name="$1" '$1 == "==" { on = $2 == name; next } on && $1 != "#"' "$results"; }

# probe NAME: sets bytes, marked, run, frame, parity, brk and text from a line of the probe; all -1 when there is none.
probe() {
    local line
    line=$(output_of "$1")
    bytes=-1 marked=-1 run=-1 frame=-1 parity=-1 brk=-1 text=-1
    read -r _ bytes _ marked _ run _ frame _ parity _ brk _ text <<<"${line:-bytes -1 marked -1 longest-run -1 frame -1 parity -1 brk -1 text -1}"
}

echo "the emulated adapter under the kernel's driver, without hsdiag:"
probe probe-right-rate
holds "at the right rate every byte is clean text" [ "$((bytes >= 300 && marked == 0 && text == bytes && frame + parity + brk == 0))" = 1 ]
probe probe-fast
holds "listening too fast is marked" [ "$((bytes >= 300 && marked * 2 > bytes && frame > 10))" = 1 ]
probe probe-slow
holds "listening too slowly is marked, and fewer bytes come" [ "$((bytes >= 30 && bytes < 600 && marked > 0 && frame > 3))" = 1 ]
probe probe-wrong-parity
holds "a parity bit that is not there gives parity or framing errors" [ "$((bytes >= 200 && marked > 0 && frame + parity > 5))" = 1 ]
probe probe-framing
holds "one framing error marks its whole packet" [ "$((frame >= 5 && marked >= 4 * frame && run >= 8 && text == bytes))" = 1 ]
probe probe-parity
holds "one parity error marks its whole packet" [ "$((parity >= 5 && marked >= 4 * parity && run >= 8 && frame == 0))" = 1 ]
probe probe-break
holds "a break is counted as one" [ "$((brk >= 5 && brk <= 20))" = 1 ]

tally
