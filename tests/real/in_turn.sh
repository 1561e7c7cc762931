#!/usr/bin/env bash
# Runs commands one behind the other as long as they succeed: in_turn.sh COMMAND / COMMAND / ...
set -euo pipefail

command=()
for word in "$@" /; do
    if [ "$word" = / ]; then
        "${command[@]}"
        command=()
    else
        command+=("$word")
    fi
done
