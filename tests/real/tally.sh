# Counts what holds and what does not. Source it; end with `tally`.
# shellcheck shell=bash

passed=0
failed=0

# holds NAME COMMAND...: one line, and one more counted.
holds() {
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        printf 'ok      %s\n' "$name"
    else
        failed=$((failed + 1))
        printf 'FAILED  %s\n' "$name"
        return 0
    fi
}

# tally: the last line, and the exit code of the script.
tally() {
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}
