#!/usr/bin/env python3
"""How long whole commands take, from their start to their end, beside /bin/true in the same run.

    python3 tests/real/start_up.py target/release/hsdiag [RUNS]

Every command takes its turn, RUNS times (200), with its output thrown away; told are the fastest run, the quarter of the fast ones
and the median, in milliseconds. The goals are those of docs/performance.md; a machine that does something else does not reach them.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main():
    hsdiag = str(Path(sys.argv[1]).resolve())
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    tables = sorted(str(path) for path in (ROOT / "protocols").glob("*.toml"))
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder, "meter.jsonl")
        recorded = [hsdiag, "record", "sim://mbus?traffic=bus", "--baud", "2400", "--format", "8E1", "--time", "2s", "-o", str(recording)]
        if run(recorded)[1] != 0:
            sys.exit(f"{' '.join(recorded)} failed")
        commands = [
            ("/bin/true", ["/bin/true"]),
            ("hsdiag --help", [hsdiag, "--help"]),
            ("hsdiag explain 0x68", [hsdiag, "explain", "0x68"]),
            ("hsdiag explain 0x80100068", [hsdiag, "explain", "0x80100068"]),
            ("hsdiag explain 6881", [hsdiag, "explain", "6881"]),
            ("hsdiag decode RECORDING --protocol mbus", [hsdiag, "decode", str(recording), "--protocol", "mbus"]),
            (f"hsdiag protocols check, {len(tables)} tables", [hsdiag, "protocols", "check", *tables]),
        ]
        took = [[] for _ in commands]
        for _ in range(runs):
            for times, (_, command) in zip(took, commands):
                times.append(run(command)[0])
    print(f"{'milliseconds':50} {'fastest':>8} {'quarter':>8} {'median':>8}   load {os.getloadavg()[0]:.1f}")
    for times, (name, _) in zip(took, commands):
        quarter = statistics.quantiles(times, n=4)[0]
        print(f"{name:50} {min(times):8.1f} {quarter:8.1f} {statistics.median(times):8.1f}")


def run(command):
    """Milliseconds, and the exit code."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    quiet = [(os.POSIX_SPAWN_DUP2, nowhere, 1), (os.POSIX_SPAWN_DUP2, nowhere, 2)]
    begin = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ, file_actions=quiet)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    took = time.perf_counter() - begin
    os.close(nowhere)
    return took * 1e3, code


main()
