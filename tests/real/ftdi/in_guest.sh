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
    kill $device
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
