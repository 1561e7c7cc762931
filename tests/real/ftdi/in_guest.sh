# What happens in the guest; runs there as /bin/in_guest.sh. Each result is told as "== NAME EXIT-CODE" and its lines.
# shellcheck shell=sh

device=
plug() {
    ft232r "$@" 2>>/tmp/ft232r.log &
    device=$!
    tries=100
    until [ -c /dev/ttyUSB0 ] || [ $tries = 0 ]; do sleep 0.1; tries=$((tries - 1)); done
}
unplug() {
    kill $device 2>/dev/null
    wait $device 2>/dev/null
    tries=100
    while [ -e /dev/ttyUSB0 ] && [ $tries != 0 ]; do sleep 0.1; tries=$((tries - 1)); done
}

# result NAME COMMAND...
result() {
    name=$1
    shift
    "$@" >/tmp/out 2>/tmp/err </dev/null
    code=$?
    echo "== $name $code"
    cat /tmp/out
    sed 's/^/# /' /tmp/err
    echo "$name: exit $code after $(cut -d' ' -f1 /proc/uptime) s" >/dev/console
}

# First the emulated adapter itself, by a program that knows nothing of hsdiag.
plug baud=57600 format=8N1 say=text
result probe-right-rate probe 57600 8N1 1500
result probe-fast probe 115200 8N1 1500
result probe-slow probe 9600 8N1 1500
result probe-wrong-parity probe 57600 8E1 1500
unplug
plug baud=57600 format=8N1 say=text spoil=framing
result probe-framing probe 57600 8N1 1500
unplug
plug baud=57600 format=8E1 say=text spoil=parity
result probe-parity probe 57600 8E1 1500
unplug
plug baud=57600 format=8N1 say=text spoil=break
result probe-break probe 57600 8N1 1500
unplug

# Then what hsdiag makes of it. An emulated processor takes a minute for what a real one does in a second: the tables of a sweep.
sweep() {
    name=$1
    shift
    result "$name" hsdiag sweep /dev/ttyUSB0 --json "$@"
}
hsdiag ports --watch --json >/tmp/watched 2>/tmp/watch.err </dev/null &
watcher=$!
plug baud=57600 format=8N1 say=text
result ports hsdiag ports --json
sweep sweep-text --time 6m
result record-rate hsdiag record /dev/ttyUSB0 --baud 57600 --format 8N1 --time 2s -o /tmp/rate.jsonl --json
unplug
plug baud=250000 format=8N1 say=text
sweep sweep-odd-rate --time 6m
unplug
plug baud=9600 format=8E1 say=mbus every=60
sweep sweep-mbus --time 6m
unplug
plug baud=57600 format=8N1 say=nothing
sweep sweep-silent --time 4s
unplug

# Faults, as they are recorded: the events of a packet share its flag.
recorded() {
    name=$1
    hsdiag record /dev/ttyUSB0 --baud 57600 --format "$2" --time 3s -o /tmp/$name.jsonl --json >/tmp/$name.said 2>&1
    result "$name" cat /tmp/$name.jsonl
    result "$name-told" cat /tmp/$name.said
}
plug baud=57600 format=8N1 say=text spoil=framing
recorded record-framing 8N1
sweep sweep-spoilt --time 6m
unplug
plug baud=57600 format=8E1 say=text spoil=parity
recorded record-parity 8E1
unplug
plug baud=57600 format=8N1 say=text spoil=break
recorded record-break 8N1
unplug

# Pulled out while it is swept: nothing is decided at a rate at which nothing comes.
plug baud=57600 format=8N1 say=text every=3000
(sleep 8; kill $device) &
puller=$!
sweep sweep-unplugged --time 6m
wait $puller
unplug
kill -INT $watcher
wait $watcher
result watched cat /tmp/watched
