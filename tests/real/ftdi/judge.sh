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

# json NAME FILTER: whether the JSON of a result is as the jq filter says; one that is not there is not.
json() { output_of "$1" | jq -es "length > 0 and all(.[]; $2)" >/dev/null 2>&1; }
# lines NAME FILTER: the same of its objects all together.
lines() { output_of "$1" | jq -es "length > 0 and ($2)" >/dev/null 2>&1; }
ends() { [ "$(code_of "$1")" = "$2" ]; }
told() {
    [ "$failed" = "$before" ] || { printf '        %s ended with %s and said:\n' "$1" "$(code_of "$1")"; { output_of "$1" || true; } | head -c 6000 | sed 's/^/        /'; }
    before=$failed
}
before=$failed
found='.verdict == "found" and .opens == 1 and .line_errors == "packet" and .settings[0].verified'
near() { printf '(.settings[0].measured_baud / %s - 1 | fabs < 0.04) and (.settings[0].baud / %s - 1 | fabs < 0.04)' "$1" "$1"; }
# What a packet's flag cannot tell must not be said: which character was bad.
no_false_claim='all(.evidence[]; .kind != "parity-by-framing") and .line_errors == "packet"'

echo "hsdiag at the emulated adapter:"
port='.ports[] | select(.device == "/dev/ttyUSB0")'
holds "ports names the adapter, its driver and what it can report" json ports "[$port] | length == 1 and .[0].usb == \"0403:6001\" and .[0].serial_number == \"HSDIAG01\" and (.[0].driver | test(\"^ftdi\")) and .[0].line_errors == \"packet\""
told ports
holds "a sweep ends with 0 at text at 57600 baud" ends sweep-text 0
holds "and finds its rate, once opened" json sweep-text "$found and $(near 57600)"
holds "and its format" json sweep-text '.settings[0].format == "8N1" and .settings[0].inverted == false'
holds "and claims nothing of single characters" json sweep-text "$no_false_claim"
told sweep-text
holds "a clean line is recorded without a fault" json record-rate '.faults == 0 and .events > 300'
told record-rate
holds "a rate that is no standard one is found" json sweep-odd-rate "$found and $(near 250000)"
told sweep-odd-rate
holds "a sweep ends with 0 at M-Bus at 9600 8E1" ends sweep-mbus 0
# M-Bus and IEC 101 share the frames of FT1.2: a guest so slow that it hears one or two of them cannot tell the two apart.
mbus='.settings[0].protocol == "mbus" or (.settings[0].protocol == "iec101" and .settings[0].frames.valid < 3)'
holds "and finds rate, format and protocol" json sweep-mbus "$found and $(near 9600) and .settings[0].format == \"8E1\" and ($mbus) and .settings[0].frames.valid > 0"
holds "and claims nothing of single characters there" json sweep-mbus "$no_false_claim"
told sweep-mbus
holds "a silent line is said to be silent" json sweep-silent '.verdict == "silent" and .received == 0 and .settings == []'
holds "and the answer is no" ends sweep-silent 1
told sweep-silent

# bursts FAULT: how many runs of events with that fault there are, and the longest.
packets() { printf '.[0].line_errors == "packet" and ([.[] | select(.fault == "%s")] | length) as $bad | ($bad >= %s) and ([.[] | select(.hex) | .hex | length / 2] | add) as $all | ($bad < $all)' "$1" "$2"; }
# Where the driver's counters come too late to tell the two apart, it is said that it is one of them.
holds "one framing error is recorded as one of its packet" lines record-framing "$(packets framing 40) and all(.[]; .fault == null or .fault == \"framing\" or .fault == \"framing-or-parity\")"
told record-framing
holds "one parity error is recorded as one of its packet" lines record-parity "$(packets parity 40) and all(.[]; .fault == null or .fault == \"parity\" or .fault == \"framing-or-parity\")"
told record-parity
holds "a break is recorded as a break" lines record-break '.[0].line_errors == "packet" and ([.[] | select(.fault == "break")] | length | . >= 5 and . <= 60)'
told record-break
holds "a line with a bad character in every message is still found" json sweep-spoilt "$(near 57600) and .line_errors == \"packet\" and ([.listens[] | select(.baud == 57600) | .faults.framing] | add > 0)"
told sweep-spoilt

holds "an adapter pulled out in the middle of a sweep ends it with 3" ends sweep-unplugged 3
holds "and what was found until then is in the answer" json sweep-unplugged '.schema == "hsdiag.sweep/1" and .error.exit == 3 and (.error.message | test("vanished")) and (.listens | length > 0)'
told sweep-unplugged
seen() { printf '[.[] | select(.schema == "hsdiag.port-change/1" and .change == "%s" and .port.device == "/dev/ttyUSB0")] | length >= 8' "$1"; }
holds "ports --watch tells every coming" lines watched "$(seen came)"
holds "and every going" lines watched "$(seen went)"
told watched

tally
