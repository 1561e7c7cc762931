#!/usr/bin/env python3
"""Interrupts a program once it has opened its port: interrupt.py signal|typed COMMAND... Its output and exit code are handed on.

`signal` sends SIGINT to the program; `typed` runs it on a pseudo-terminal and types Ctrl-C there.
"""

import os
import pty
import select
import signal
import subprocess
import sys
import time

OPENED = b"opened Native"
LIMIT = 60


def by_signal(command):
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for line in program.stderr:
        if OPENED in line:
            break
    time.sleep(1)
    program.send_signal(signal.SIGINT)
    out, _ = program.communicate(timeout=LIMIT)
    return out, program.returncode


def typed(command):
    child, terminal = pty.fork()
    if child == 0:
        os.execv(command[0], command)
    heard, sent, until = b"", False, time.monotonic() + LIMIT
    while time.monotonic() < until:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                piece = os.read(terminal, 4096)
            except OSError:
                piece = b""
            if not piece:
                break
            heard += piece
        # A console breaks lines where it likes.
        if not sent and OPENED in heard.replace(b"\r", b"").replace(b"\n", b""):
            time.sleep(1)
            os.write(terminal, b"\x03")
            sent = True
    else:
        os.kill(child, signal.SIGKILL)
    return heard, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main():
    out, code = {"signal": by_signal, "typed": typed}[sys.argv[1]](sys.argv[2:])
    sys.stdout.buffer.write(out)
    sys.stdout.flush()
    sys.exit(code if code >= 0 else 99)


main()
