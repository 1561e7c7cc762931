#!/usr/bin/env python3
"""How long hsdiag takes to write and verify an image, beside what the line allows and beside the programs that others wrote:
flash_speed.py DIR HSDIAG [ESPTOOL] [--rounds N]
Each round simulates a device on a pseudo-terminal, which paces every character and answers after 1 ms. Needs stm32flash and avrdude."""

import argparse
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time
import zlib

TURNAROUND = 0.001
WITHIN = 1.05
# What two runs of the same thing differ by on a machine with other work.
SLACK = 1.01

counts = {True: 0, False: 0}


def holds(name, is_so):
    counts[bool(is_so)] += 1
    print(f"{'ok     ' if is_so else 'FAILED '} {name}", flush=True)


class Device:
    """`hsdiag simulate` on a pseudo-terminal that can be found as `link`."""

    def __init__(self, hsdiag, name, link):
        self.link = link
        link.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [hsdiag, "simulate", name, "--link", link], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )

    def __enter__(self):
        end = time.monotonic() + 10
        while not self.link.exists():
            if time.monotonic() > end or self.process.poll() is not None:
                raise SystemExit("no device was simulated")
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def seconds(hsdiag, device, folder, command):
    """How long the command takes against a fresh device; it has to succeed."""
    with Device(hsdiag, device, folder / "line"):
        begin = time.monotonic()
        ran = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        took = time.monotonic() - begin
    if ran.returncode != 0:
        sys.stdout.buffer.write(ran.stdout)
        raise SystemExit(f"exit {ran.returncode}: {' '.join(map(str, command))}")
    return took


def pieces(size, most):
    return [min(most, size - at) for at in range(0, size, most)]


def stm32_minimum(size, baud):
    """AN3155, 11 bits a character: sync, GET, GET ID, one erase of pages of 1 KiB, then every block written and read."""
    pages = len(pieces(size, 0x400))
    characters = (1 + 1) + (2 + 15) + (2 + 5) + (2 + 1 + 2 + 2 * pages + 1 + 1)
    replies = 1 + 1 + 1 + 2
    for block in pieces(size, 256):
        characters += (2 + 1 + 5 + 1 + 1 + block + 1 + 1) + (2 + 1 + 5 + 1 + 2 + 1 + block)
        replies += 3 + 3
    return characters * 11 / baud + replies * TURNAROUND


def stk500v1_minimum(size, baud):
    """10 bits a character: sync, enter, signature, then every page of 128 bytes written and read behind its address."""
    characters = (2 + 2) + (2 + 2) + (2 + 5)
    replies = 3
    for page in pieces(size, 128):
        characters += (4 + 2 + 4 + page + 1 + 2) + (4 + 2 + 5 + page + 2)
        replies += 2 + 2
    return characters * 10 / baud + replies * TURNAROUND


def flash(hsdiag, protocol, image, folder, *more):
    return [hsdiag, "flash", folder / "line", image, "--protocol", protocol, "--yes", "--force", "--no-reset", *more]


def compare(name, own, others, minimum=None):
    """Medians: hsdiag beside the least that is possible, and beside another program in the same run."""
    best = statistics.median(own)
    if minimum is not None:
        print(f"        {name}: hsdiag {best:.3f} s, the line's minimum {minimum:.3f} s, ratio {best / minimum:.3f}")
        holds(f"{name}: within {WITHIN} of the line's minimum", best <= WITHIN * minimum)
    for program, took in others.items():
        theirs = statistics.median(took)
        print(f"        {name}: hsdiag {best:.3f} s, {program} {theirs:.3f} s, ratio {best / theirs:.3f}")
        holds(f"{name}: not slower than {program}", best <= SLACK * theirs)


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("folder", type=pathlib.Path)
    asked.add_argument("hsdiag", type=pathlib.Path)
    asked.add_argument("esptool", nargs="?")
    asked.add_argument("--rounds", type=int, default=3)
    asked = asked.parse_args()
    folder, hsdiag = asked.folder.absolute(), asked.hsdiag.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(2026)
    image = folder / "image.bin"
    # FF CF: a jump to itself, which an emulated AVR survives.
    image.write_bytes(b"\xff\xcf" + chance.randbytes(24 * 1024 - 2))
    text = folder / "text.bin"
    text.write_bytes(b"".join(b"line %d of an image that deflates, %x\n" % (n, chance.getrandbits(48)) for n in range(3000)))
    line, baud = folder / "line", 115200
    size = image.stat().st_size

    def rounds(device, **commands):
        """Every command in turn, so that what else the machine does falls on all of them."""
        took = {name: [] for name in commands}
        for _ in range(asked.rounds):
            for name, command in commands.items():
                took[name].append(seconds(hsdiag, device, folder, command))
        return took.pop("hsdiag"), took

    own, others = rounds(
        f"stm32?baud={baud}",
        hsdiag=flash(hsdiag, "stm32", image, folder),
        stm32flash=["stm32flash", "-m", "8n1", "-b", str(baud), "-w", image, "-v", line],
    )
    compare("stm32, 24 KiB at 115200", own, others, stm32_minimum(size, baud))
    own, others = rounds(
        f"stk500v1?baud={baud}",
        hsdiag=flash(hsdiag, "stk500v1", image, folder),
        avrdude=["avrdude", "-q", "-c", "arduino", "-p", "m328p", "-b", str(baud), "-P", line, "-D", "-U", f"flash:w:{image}:r"],
    )
    compare("stk500v1, 24 KiB at 115200", own, others, stk500v1_minimum(size, baud))
    if asked.esptool:
        esptool = [asked.esptool, "--port", line, "--baud", str(baud), "--before", "no-reset", "--after", "no-reset"]
        own, others = rounds(
            f"esp-rom?baud={baud}",
            hsdiag=flash(hsdiag, "esp-rom", text, folder, "--set", "deflate=1", "--baud", str(baud)),
            esptool=[*esptool, "--no-stub", "write-flash", "--compress", "0x10000", text],
        )
        deflated = len(zlib.compress(text.read_bytes(), 9))
        compare(f"esp-rom, {text.stat().st_size // 1024} KiB deflated to {deflated // 1024}, at {baud}", own, others)
    print(f"{counts[True]} passed, {counts[False]} failed")
    return 0 if counts[False] == 0 and counts[True] > 0 else 1


if __name__ == "__main__":
    try:
        os.nice(-15)  # what else this machine does is not the subject; it holds for every program alike
    except PermissionError:
        print("        not run with priority: other work on this machine counts too")
    sys.exit(main())
