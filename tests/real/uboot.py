#!/usr/bin/env python3
"""hsdiag loads an image into U-Boot in QEMU, by XMODEM and YMODEM, and U-Boot's own crc32 agrees: uboot.py DIR HSDIAG
Needs u-boot-qemu and qemu-system-arm."""

import os
import re
import select
import subprocess
import sys
import time
import tty
import zlib

BIOS = "/usr/lib/u-boot/qemu_arm/u-boot.bin"
QEMU = ["qemu-system-arm", "-M", "virt", "-cpu", "cortex-a15", "-m", "128", "-nodefaults", "-display", "none", "-serial", "pty"]
AT = 0x40200000
# `crc32` prints "==> ": only at the beginning of a line is it the prompt.
PROMPT = rb"\n=> $"

counts = {True: 0, False: 0}


def holds(name, is_so, why=""):
    counts[bool(is_so)] += 1
    print(f"{'ok     ' if is_so else 'FAILED '} {name}")
    if not is_so and why:
        print("        " + why.replace("\n", "\n        "))
    return is_so


class Console:
    """U-Boot's console; it stays open while hsdiag has the line, but does not read then."""

    def __init__(self):
        self.qemu = subprocess.Popen(
            QEMU + ["-bios", BIOS], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        said = self.qemu.stdout.readline()
        found = re.search(r"/dev/pts/\d+", said)
        if not found:
            raise SystemExit(f"QEMU gave no pseudo-terminal: {said}")
        self.line = found[0]
        self.fd = os.open(self.line, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)

    def expect(self, pattern, seconds=20):
        said, end = b"", time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.1)[0]:
                said += os.read(self.fd, 4096)
                if re.search(pattern, said):
                    return said.decode("latin1")
        raise TimeoutError(f"{pattern!r} did not come; U-Boot said {said[-400:]!r}")

    def ask(self, command, pattern=PROMPT):
        os.write(self.fd, command.encode() + b"\r")
        return self.expect(pattern)

    def settle(self):
        """Whatever was still on its way has come when this answer has."""
        self.ask("echo settled", rb"\nsettled\r?\n=> $")

    def boot(self):
        """Any key stops the countdown."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            os.write(self.fd, b"\r")
            try:
                return self.expect(PROMPT, 1)
            except TimeoutError:
                pass
        raise TimeoutError("U-Boot's prompt did not come")

    def quit(self):
        self.qemu.terminate()
        self.qemu.wait()


def load(console, hsdiag, command, path, options):
    """Lets U-Boot wait for the file, and hsdiag send it."""
    console.ask(f"{command} {AT:#x} 115200", rb"Ready for binary")
    sent = subprocess.run(
        [hsdiag, "flash", console.line, path, "--base", "0", "--yes", *options],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
    )
    console.settle()
    return sent


def try_load(console, hsdiag, folder, name, command, options, size):
    image = os.urandom(size - 1) + b"\x55"
    path = os.path.join(folder, "image.bin")
    with open(path, "wb") as file:
        file.write(image)
    # What was there before is not the image.
    console.ask(f"mw.b {AT:#x} 0 {size:#x}")
    begun = time.monotonic()
    sent = load(console, hsdiag, command, path, options)
    took = time.monotonic() - begun
    said = console.ask(f"crc32 {AT:#x} {size:#x}")
    sized = console.ask("printenv filesize")
    agrees = f"==> {zlib.crc32(image):08x}" in said and re.search(rf"filesize={size:x}\b", sized)
    why = f"hsdiag ended with {sent.returncode} (wanted 4):\n{sent.stdout[-1500:]}\n{said}\n{sized}"
    holds(f"{name}: U-Boot's crc32 agrees ({size} bytes, {took:.1f} s)", sent.returncode == 4 and agrees, why)


def main():
    folder, hsdiag = os.path.realpath(sys.argv[1]), os.path.realpath(sys.argv[2])
    os.makedirs(folder, exist_ok=True)
    console = Console()
    try:
        holds("U-Boot is at its prompt", "=> " in console.boot())
        console.settle()
        try_load(console, hsdiag, folder, "loadx, XMODEM with CRCs", "loadx", ["--protocol", "xmodem"], 10_007)
        try_load(console, hsdiag, folder, "loadx, XMODEM-1K", "loadx", ["--protocol", "xmodem", "--set", "kind=1"], 30_011)
        try_load(console, hsdiag, folder, "loady, YMODEM", "loady", ["--protocol", "ymodem"], 65_539)
        said = console.ask(f"crc32 {AT:#x} 0x1000")
        holds("another range has another crc32", f"==> {zlib.crc32(bytes(0x1000)):08x}" not in said, said)
    except TimeoutError as error:
        holds("U-Boot answers", False, str(error))
    finally:
        console.quit()
    print(f"{counts[True]} passed, {counts[False]} failed")
    return 0 if counts[False] == 0 else 1


sys.exit(main())
