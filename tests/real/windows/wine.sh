# A wine prefix in which COM3 is "$dir/line" and COM4 is "$dir/deaf". Source it, then `wine_prefix DIR`; `"$wine" PROGRAM` runs one.
# shellcheck shell=bash

wine=/usr/lib/wine/wine64
wineserver=/usr/lib/wine/wineserver

# wine_prefix DIR: a fresh prefix in DIR. A server or a first start that fails is tried again, in another folder: a server is known by its
# prefix' inode, and one that has not ended yet keeps it. What was said is in DIR/wine.log, and shown when it was of no use.
wine_prefix() {
    local try
    export WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
    : >"$1/wine.log"
    for try in 1 2 3; do
        export WINEPREFIX=$1/prefix/$try
        mkdir -p "$WINEPREFIX"
        if wine_first_start "$1" >>"$1/wine.log" 2>&1 </dev/null; then
            return 0
        fi
        echo "wine did not start, try $try" | tee -a "$1/wine.log"
        wine_end
        sleep 5
    done
    tail -n 60 "$1/wine.log"
    return 1
}

# One after the other, each said before it is done; the first that fails ends it, as `set -e` does not inside a condition.
wine_first_start() {
    local sources
    sources=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
    wine_server &&
        wine_says "$wine" wineboot -i &&
        # Without it every program ends at once with code 53.
        wine_says x86_64-w64-mingw32-gcc -shared -O2 -s -o "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" "$sources/prng.c" -ladvapi32 &&
        wine_says "$wine" reg add 'HKLM\Software\Wine\Ports' /v COM3 /d "$1/line" /f &&
        wine_says "$wine" reg add 'HKLM\Software\Wine\Ports' /v COM4 /d "$1/deaf" /f || return 1
    # The list of ports is read when the server starts.
    wine_end
    wine_server && wine_says "$wine" cmd /c exit
}

# wine_says COMMAND...: the command, what it said, and its code when that is not 0.
wine_says() {
    local code=0
    printf '%s\n' "$*"
    "$@" || code=$?
    [ "$code" = 0 ] || printf 'ended with code %s\n' "$code"
    return "$code"
}

# The server lends its first client's terminal and pipes to itself: it is started alone, with nothing to lend.
wine_server() {
    local code=0
    "$wineserver" -p600 </dev/null >"$WINEPREFIX.server" 2>&1 || code=$?
    [ "$code" = 0 ] || printf 'wineserver ended with code %s: %s\n' "$code" "$(cat "$WINEPREFIX.server")"
    return "$code"
}

# Ends this prefix's programs and no others.
wine_end() {
    "$wineserver" -k </dev/null >/dev/null 2>&1 || true
    sleep 1
}
