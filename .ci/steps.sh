# Steps of a run: each prints its name, its duration and, when it fails, the end of what it said.
# shellcheck shell=bash

logs=${CI_LOGS:-$PWD/target/ci}
mkdir -p "$logs"

fail() {
    printf 'FAILED: %s\n' "$1"
    exit 1
}

# step NAME COMMAND...: stops the run when the command fails.
step() {
    local name=$1 log begin=$SECONDS
    shift
    log=$logs/$(printf %s "$name" | tr -c 'a-zA-Z0-9' _).log
    printf '%-40s ' "$name"
    if "$@" >"$log" 2>&1 </dev/null; then
        printf 'ok      %4d s\n' $((SECONDS - begin))
    else
        printf 'FAILED  %4d s   (%s; its end:)\n' $((SECONDS - begin)) "$*"
        tail -n 80 "$log"
        fail "$name"
    fi
}

# again TIMES COMMAND...: for what depends on a network.
again() {
    local left=$1
    shift
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 5
    done
}
