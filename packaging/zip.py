#!/usr/bin/env python3
"""Packs a folder into a zip that is the same whenever it is made: zip.py FOLDER ZIP. Times come from SOURCE_DATE_EPOCH."""

import os
import sys
import time
import zipfile
from pathlib import Path

folder, target = Path(sys.argv[1]), sys.argv[2]
# The format counts in steps of two seconds.
when = time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]) // 2 * 2)[:6]

with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        entry = zipfile.ZipInfo(path.relative_to(folder.parent).as_posix(), when)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.create_system = 3
        entry.external_attr = (path.stat().st_mode & 0o777) << 16
        archive.writestr(entry, path.read_bytes())
