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

# packages NAME...: Debian packages that the real counterparts come in.
packages() {
    export DEBIAN_FRONTEND=noninteractive
    again 3 apt-get update
    again 3 apt-get install -y --no-install-recommends "$@"
}

real_passed=0
real_failed=0

# real NAME COMMAND...: a part whose last line is "N passed, N failed". The run goes on to the other parts and is red in the end.
real() {
    local name=$1 log last begin=$SECONDS
    shift
    log=$logs/$(printf %s "$name" | tr -c 'a-zA-Z0-9' _).log
    printf '%-40s ' "$name"
    if "$@" >"$log" 2>&1 </dev/null; then printf 'ok      '; else printf 'FAILED  '; fi
    printf '%4d s\n' $((SECONDS - begin))
    grep -E '^(ok|FAILED) ' "$log" | sed 's/^/    /' || true
    last=$(tail -n 1 "$log")
    if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]] && [ "${BASH_REMATCH[1]}" -gt 0 ]; then
        real_passed=$((real_passed + BASH_REMATCH[1]))
        real_failed=$((real_failed + BASH_REMATCH[2]))
        [ "${BASH_REMATCH[2]}" = 0 ] || tail -n 80 "$log"
    else
        real_failed=$((real_failed + 1))
        echo "    the part did not come to its end; the end of its log:"
        tail -n 80 "$log"
    fi
}
