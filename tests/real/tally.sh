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

# says NAME CODE PATTERN COMMAND...: the command ends with this code and says this; what it said is in $dir/said.
says() {
    local name=$1 wanted=$2 pattern=$3 code=0
    shift 3
    timeout 60 "$@" >"$dir/said" 2>&1 </dev/null || code=$?
    if [ "$code" = "$wanted" ] && grep -Eq "$pattern" "$dir/said"; then
        holds "$name" true
    else
        holds "$name" false
        printf '        exit code %s instead of %s; "%s" was looked for in:\n' "$code" "$wanted" "$pattern"
        tail -n 25 "$dir/said" | sed 's/^/        /'
    fi
}

# tally: the last line, and the exit code of the script.
tally() {
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}
