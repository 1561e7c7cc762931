#!/usr/bin/env python3
"""A pseudo-terminal whose far end reads nothing: deaf.py LINK. It stays until it is ended."""

import os
import pty
import signal
import sys
import tty

link = sys.argv[1]
master, slave = pty.openpty()
tty.setraw(slave)
if os.path.islink(link):
    os.remove(link)
os.symlink(os.ttyname(slave), link)
print("there", flush=True)
signal.pause()
