#!/usr/bin/env bash
# hsdiag against the kernel's own ftdi_sio driver, in a guest with an emulated FT232R: run.sh DIR HSDIAG
# Prints one line for each thing that must hold, and "N passed, N failed". Needs qemu-system-x86, busybox-static, cpio, kmod, jq, gcc.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
dir=$(realpath "$1")
cp "$(realpath "$2")" "$dir/hsdiag"                     # its name in the guest

gcc -O2 -Wall -Wextra -Werror -static -o "$dir/ft232r" "$here/ft232r.c" -lm
gcc -O2 -Wall -Wextra -Werror -static -o "$dir/probe" "$here/probe.c"
bash "$here/build_guest.sh" "$dir/guest" "$dir/ft232r" "$dir/probe" "$here/in_guest.sh" "$dir/hsdiag"

rm -f "$dir/results"
timeout 1800 qemu-system-x86_64 -accel tcg,thread=multi -smp 2 -m 1024 -nodefaults -no-reboot -display none \
    -serial "file:$dir/console" -serial "file:$dir/results" \
    -kernel "$dir/guest/vmlinuz" -initrd "$dir/guest/initrd.gz" -append "console=ttyS0 quiet panic=-1" </dev/null ||
    { echo "the guest did not end by itself; its console:"; tail -n 40 "$dir/console"; exit 1; }
cat "$dir/console"
bash "$here/judge.sh" "$dir/results"
