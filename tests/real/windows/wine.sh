# A wine prefix in which COM3 is "$dir/line" and COM4 is "$dir/deaf". Source it, then `wine_prefix DIR`; `"$wine" PROGRAM` runs one.
# shellcheck shell=bash

wine=/usr/lib/wine/wine64
wineserver=/usr/lib/wine/wineserver

# The server lends its first client's terminal and pipes to itself: it is started alone, with nothing to lend.
wine_server() {
    "$wineserver" -p600 </dev/null >/dev/null 2>&1
}

wine_prefix() {
    local sources
    sources=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
    export WINEPREFIX=$1/prefix WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
    mkdir -p "$WINEPREFIX"
    wine_server
    "$wine" wineboot -i </dev/null >/dev/null 2>&1
    # Without it every program ends at once with code 53.
    x86_64-w64-mingw32-gcc -shared -O2 -s -o "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" "$sources/prng.c" -ladvapi32
    "$wine" reg add 'HKLM\Software\Wine\Ports' /v COM3 /d "$1/line" /f </dev/null >/dev/null 2>&1
    "$wine" reg add 'HKLM\Software\Wine\Ports' /v COM4 /d "$1/deaf" /f </dev/null >/dev/null 2>&1
    # The list of ports is read when the server starts.
    wine_end
    wine_server
    "$wine" cmd /c exit </dev/null >/dev/null 2>&1
}

# Ends this prefix's programs and no others.
wine_end() {
    "$wineserver" -k </dev/null >/dev/null 2>&1 || true
    sleep 1
}
