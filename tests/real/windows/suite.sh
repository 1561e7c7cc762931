#!/usr/bin/env bash
# The tests of the repository, built for Windows and run under wine: suite.sh DIR [CARGO'S-CHOICE…], such as `--lib`; without it all of them.
# Which of them Windows cannot serve is in docs/platforms.md, and this counts whether it names them all.
# Needs what cross.sh needs, wine64, gcc, python3.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../tally.sh
source "$here/../tally.sh"
# shellcheck source=wine.sh
source "$here/wine.sh"
mkdir -p "$1"
dir=$(realpath "$1")
shift
chosen=("$@")
[ "${#chosen[@]}" -gt 0 ] || chosen=(--lib --bins --tests)
rm -rf "$dir/prefix"
wine_prefix "$dir"
deaf=
trap '[ -z "$deaf" ] || kill "$deaf" 2>/dev/null || true; wine_end' EXIT

cross() {
    bash "$here/../cross.sh" x86_64-pc-windows-gnu "$@"
}

code=0
cross test "${chosen[@]}" --no-fail-fast >"$dir/tests.log" 2>&1 </dev/null || code=$?
grep -aE '^(test result|test .*FAILED|     Running)' "$dir/tests.log" || true
[ "$code" = 0 ] || tail -n 100 "$dir/tests.log"
ran=$(grep -ac '^     Running' "$dir/tests.log" || true)
holds "the tests pass under wine" test "$code" = 0 -a "$ran" -gt 0 -a "$(grep -ac '^test result: ok' "$dir/tests.log")" = "$ran"

# Tests that Linux has and Windows has not are named, each of them.
cargo test "${chosen[@]}" -- --list 2>/dev/null </dev/null | sed -n 's/: test$//p' | sort >"$dir/linux"
cross test "${chosen[@]}" -- --list 2>/dev/null </dev/null | tr -d '\r' | sed -n 's/: test$//p' | sort >"$dir/windows"
unnamed=0
while read -r name; do
    if ! grep -qF "\`${name##*::}\`" "$here/../../../docs/platforms.md"; then
        echo "Windows has no test $name, and docs/platforms.md does not say why"
        unnamed=$((unnamed + 1))
    fi
done < <(comm -23 "$dir/linux" "$dir/windows")
echo "$(comm -12 "$dir/linux" "$dir/windows" | wc -l) of the $(wc -l <"$dir/linux") tests of Linux are run under wine, and $(comm -13 "$dir/linux" "$dir/windows" | wc -l) more"
holds "every test that Windows cannot serve is named" test "$unnamed" = 0 -a -s "$dir/windows" -a -s "$dir/linux"

# The one test that needs a port: its other end takes no bytes.
python3 "$here/deaf.py" "$dir/deaf" >"$dir/deaf.log" </dev/null &
deaf=$!
for _ in $(seq 100); do
    [ ! -s "$dir/deaf.log" ] || break
    sleep 0.05
done
export HSDIAG_DEAF_PORT=COM4
code=0
cross test --lib -- --ignored --nocapture a_write_that_nobody_takes >"$dir/deaf-test.log" 2>&1 </dev/null || code=$?
tail -n 5 "$dir/deaf-test.log"
holds "a write that nobody takes ends" test "$code" = 0 -a -n "$(grep -aE 'test result: ok. 1 passed' "$dir/deaf-test.log")"

tally
