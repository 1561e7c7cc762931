"""Frames of real devices as event lines, one file for each kind of device: recordings.py DATA OUT

The frames stand in DATA as hex or raw; they are laid on the clock of a bus at 9600 baud, 40 ms apart, as `hsdiag record` would have
heard them. `hsdiag simulate replay://FILE?baud=...` sends them at any rate.
"""

import json
import sys
from pathlib import Path

BAUD = 9600
PAUSE = 0.04


def rows(path):
    lines = path.read_text().splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def octets(text):
    return bytes(int(word, 16) for word in text.split())


def pairs(path):
    """Questions and answers in two columns."""
    return [octets(cell) for row in rows(path) for cell in row[:2]]


def telegrams(folder):
    return [octets(path.read_text()) for path in sorted(folder.glob("*.hex"))]


def ubx(path):
    log, frames = path.read_bytes(), []
    while log[:2] == b"\xb5\x62":
        end = 8 + int.from_bytes(log[4:6], "little")
        frames.append(log[:end])
        log = log[end:]
    return frames


def write(path, frames):
    at = 0.0
    with path.open("w") as file:
        header = {"hsdiag": "events", "version": 1, "baud": BAUD, "format": "8N1", "line_errors": "per-byte"}
        file.write(json.dumps(header) + "\n")
        for frame in frames:
            at += PAUSE
            for byte in frame:
                at += 10 / BAUD
                file.write(json.dumps({"at": round(at, 7), "dir": "rx", "hex": f"{byte:02x}"}) + "\n")


data, out = Path(sys.argv[1]), Path(sys.argv[2])
out.mkdir(parents=True, exist_ok=True)
write(out / "mbus.jsonl", telegrams(data / "mbus"))
write(out / "modbus-rtu.jsonl", pairs(data / "modbus-rtu" / "easun_pairs.tsv"))
write(out / "dlt645.jsonl", pairs(data / "dlt645" / "meter161_pairs.tsv"))
write(out / "ubx.jsonl", ubx(data / "ubx-nmea" / "pygpsdata-NAV.log"))
