#!/usr/bin/env bash
# A guest with Debian's own kernel, its ftdi_sio driver and busybox: build_guest.sh DIR PROGRAM... -> DIR/vmlinuz DIR/initrd.gz
# The kernel package is unpacked, not installed. Programs go to /bin of the guest, with the shared libraries they ask for.
# Needs the packages busybox-static, cpio and kmod.
set -euo pipefail

dir=$1
shift
programs=()
for program in "$@"; do programs+=("$(realpath "$program")"); done
mkdir -p "$dir"
cd "$dir"

package=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image-/ { print $2; exit }')
[ -n "$package" ] || { echo "no kernel package is known to apt-get (run apt-get update)"; exit 1; }
if [ ! -d "kernel/$package" ]; then
    apt-get download "$package"
    dpkg-deb -x "$package"_*.deb kernel.part
    mkdir -p kernel
    mv kernel.part "kernel/$package"
    rm "$package"_*.deb
fi
kernel=$PWD/kernel/$package
cp "$kernel"/boot/vmlinuz-* vmlinuz
modules=$(echo "$kernel"/lib/modules/*)

rm -rf root
mkdir -p root/{bin,proc,sys,dev,tmp,mod,lib64}
cp /bin/busybox root/bin/
for name in $(/bin/busybox --list | grep -vx busybox); do ln -sf busybox "root/bin/$name"; done

# Modules in the order in which they load: each after those it depends on.
file_of() { find "$modules" -name "${1//_/-}.ko*" -o -name "${1//-/_}.ko*" | sed -n 1p; }
add_module() {
    local file name dependency
    file=$(file_of "$1")
    [ -n "$file" ] || return 0                      # built into the kernel
    name=$(basename "${file%.ko*}").ko
    [ ! -e "root/mod/$name" ] || return 0
    for dependency in $(modinfo -F depends "$file" | tr , ' '); do add_module "$dependency"; done
    case $file in
    *.xz) xz -dc "$file" >"root/mod/$name" ;;
    *.zst) zstd -qdc "$file" >"root/mod/$name" ;;
    *) cp "$file" "root/mod/$name" ;;
    esac
    echo "$name" >>root/mod/order
}
add_module vhci-hcd
add_module ftdi_sio

for program in "${programs[@]}"; do
    cp "$program" root/bin/
    # A static program asks for none.
    { ldd "$program" 2>/dev/null || true; } | { grep -o '/[^ ]*' || true; } | while read -r library; do
        mkdir -p "root$(dirname "$library")"
        cp -L "$library" "root$library"
    done
done

cat >root/init <<'INIT'
#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
echo 1 >/proc/sys/kernel/printk
while read -r module; do insmod "/mod/$module" || echo "insmod $module failed"; done </mod/order
stty -F /dev/ttyS1 raw -echo
echo "guest ready after $(cut -d' ' -f1 /proc/uptime) s"
sh /bin/in_guest.sh >/dev/ttyS1
echo "guest done after $(cut -d' ' -f1 /proc/uptime) s"
sync
poweroff -f
INIT
chmod +x root/init
(cd root && find . | cpio -o -H newc --quiet | gzip -1) >initrd.gz
