# A device that hsdiag simulates on a pseudo-terminal, and programs that others wrote beside it. Source it behind tally.sh, then
# `simulated DIR HSDIAG`; the pseudo-terminal is "$line".
# shellcheck shell=bash

device=
limit=60

simulated() {
    mkdir -p "$1"
    dir=$(realpath "$1")
    hsdiag=$(realpath "$2")
    line=$dir/line
    trap '[ -z "$device" ] || kill "$device" 2>/dev/null || true' EXIT
}

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
        # A function of the script ends by itself.
        if [ "$(type -t "$1")" = function ]; then
            "$@" >"$dir/said" 2>&1 </dev/null || code=$?
        else
            timeout "$limit" "$@" >"$dir/said" 2>&1 </dev/null || code=$?
        fi
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
