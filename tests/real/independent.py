#!/usr/bin/env python3
"""Labelled captures that share nothing with hsdiag: own conversations, own wire, own receiver; and how many of them `hsdiag decode` names.

    python3 tests/real/independent.py FOLDER HSDIAG [--each 2] [--seed 1] [--cause NAME]

Conversations are written from the protocols' specifications, with addresses and contents at random. The wire is a list of level changes, the
receiver takes one sample a bit and waits for a rise after a low stop bit. No weight of the diagnosis is fitted to these captures.
"""
import argparse
import bisect
import collections
import concurrent.futures
import itertools
import json
import os
import random
import subprocess


# ---- conversations: questions, each with its reply -------------------------------------------------------------------

def crc16(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return data + bytes([crc & 255, crc >> 8])


def summed(data):
    return bytes([sum(data) & 255])


def modbus(rng, refusing=False):
    unit, count, start = rng.choice([1, 2, 5, 17, 40]), rng.randint(1, 10), rng.randint(0, 400)
    values = [rng.randint(0, 65535) for _ in range(count)]
    for _ in range(rng.randint(10, 30)):
        question = crc16(bytes([unit, 3, start >> 8, start & 255, 0, count]))
        now = [(value + rng.randint(0, 3)) & 65535 for value in values]
        reply = bytes([unit, 3, 2 * count]) + b"".join(value.to_bytes(2, "big") for value in now)
        yield question, crc16(bytes([unit, 0x83, rng.choice([1, 2, 3])]) if refusing else reply)


def ft12(control, address, data):
    body = bytes([control, address]) + data
    return bytes([0x68, len(body), len(body), 0x68]) + body + summed(body) + b"\x16"


def short(control, address):
    return bytes([0x10, control, address]) + summed(bytes([control, address])) + b"\x16"


def bcd(number, size):
    return bytes.fromhex("%0*d" % (2 * size, number))[::-1]


def mbus(rng):
    address, meter = rng.randint(1, 250), bcd(rng.randrange(10**8), 4)
    yield short(0x40, address), b"\xe5"
    volume = rng.randrange(10**6)
    for number in range(rng.randint(8, 20)):
        volume += rng.randint(0, 9)
        head = bytes([0x72]) + meter + bytes([0x77, 4, 0x14, 7, number, 0, 0, 0])
        records = b"\x0c\x13" + bcd(volume, 4) + b"\x0b\x3b" + bcd(rng.randrange(1000), 3)
        yield short(0x5B if number % 2 else 0x7B, address), ft12(0x08, address, head + records)


def iec101(rng):
    station = rng.randint(1, 200)
    yield short(0x49, station), short(0x0B, station)
    yield short(0x40, station), short(0x00, station)
    for number in range(rng.randint(8, 20)):
        place, value = rng.randint(1, 4000), rng.randrange(65536)
        data = bytes([0x0B, 1, 1, station]) + place.to_bytes(2, "little") + value.to_bytes(2, "little") + b"\0"
        yield short(0x5B if number % 2 else 0x7B, station), ft12(0x08, station, data)


def dlt645(rng):
    address = bytes(int("%02d" % rng.randrange(100), 16) for _ in range(6))

    def frame(function, data):
        body = b"\x68" + address + bytes([0x68, function, len(data)]) + bytes((byte + 0x33) & 255 for byte in data)
        return b"\xfe" * 4 + body + summed(body) + b"\x16"

    for _ in range(rng.randint(10, 20)):
        what = rng.choice([b"\0\0\1\0", b"\0\1\1\2", b"\0\0\3\2"])
        yield frame(0x11, what), frame(0x91, what + bcd(rng.randrange(10**8), 4))


def stm32(rng):
    yield b"\x7f", b"\x79"
    yield b"\x00\xff", bytes.fromhex("790b3100010211213143637382 9279".replace(" ", ""))
    yield b"\x02\xfd", b"\x79\x01\x04\x10\x79"
    for number in range(rng.randint(4, 12)):
        place = (0x0800_0000 + 16 * number).to_bytes(4, "big")
        yield b"\x11\xee", b"\x79"
        yield place + bytes([place[0] ^ place[1] ^ place[2] ^ place[3]]), b"\x79"
        yield b"\x0f\xf0", b"\x79" + rng.randbytes(16)


def stk500(rng):
    for _ in range(rng.randint(1, 3)):
        yield b"\x30\x20", b"\x14\x10"
    for what, value in ((0x81, rng.randrange(9)), (0x82, rng.randrange(9))):
        yield bytes([0x41, what, 0x20]), bytes([0x14, value, 0x10])
    yield b"\x50\x20", b"\x14\x10"
    yield b"\x75\x20", b"\x14\x1e\x95\x0f\x10"
    for page in range(rng.randint(4, 9)):
        place = 64 * page
        yield bytes([0x55, place & 255, place >> 8, 0x20]), b"\x14\x10"
        yield b"\x74\x00\x10\x46\x20", b"\x14" + rng.randbytes(16) + b"\x10"


def kwp2000(rng):
    def message(to, by, data):
        body = bytes([0x80 | len(data), to, by]) + data
        return body + summed(body)

    unit = rng.choice([0x11, 0x10, 0x12])
    yield message(unit, 0xF1, b"\x81"), message(0xF1, unit, b"\xc1\xef\x8f")
    for number in range(rng.randint(8, 20)):
        local = rng.choice([1, 2, 5])
        data = rng.randbytes(rng.randint(4, 12))
        yield message(unit, 0xF1, bytes([0x21, local])), message(0xF1, unit, bytes([0x61, local]) + data)


def esp_rom(rng):
    def slip(data):
        return b"\xc0" + data.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"

    def reply(command, value):
        return slip(bytes([1, command, 4, 0]) + value + bytes(4))

    sync = slip(bytes([0, 8, 36, 0, 0, 0, 0, 0]) + b"\x07\x07\x12\x20" + b"\x55" * 32)
    yield sync, reply(8, b"\x07\x07\x12\x20") * 8
    for _ in range(rng.randint(4, 12)):
        place = (0x3FF5_A000 + 4 * rng.randrange(64)).to_bytes(4, "little")
        yield slip(bytes([0, 10, 4, 0, 0, 0, 0, 0]) + place), reply(10, rng.randbytes(4))


# Conversations, customary rates and formats.
PROTOCOLS = {
    "modbus-rtu": (modbus, [9600, 19200, 38400], ["8E1", "8N1"]),
    "mbus": (mbus, [2400, 9600], ["8E1"]),
    "dlt645": (dlt645, [2400, 9600], ["8E1"]),
    "iec101": (iec101, [9600, 19200], ["8E1"]),
    "stm32": (stm32, [57600, 115200], ["8E1"]),
    "stk500v1": (stk500, [57600, 115200], ["8N1"]),
    "kwp2000": (kwp2000, [10400], ["8N1"]),
    "esp-rom": (esp_rom, [115200, 460800], ["8N1"]),
}

# ---- the wire --------------------------------------------------------------------------------------------------------


def character_bits(format):
    return 1 + int(format[0]) + (format[1] != "N") + int(format[2])


class Wire:
    """The level of one pin: changes in order of time, and pulses over them."""

    def __init__(self, rests=1):
        self.changes, self.pulses = [(-1.0, rests)], []

    def send(self, at, byte, bit, format, rng, inverted=False, reversed_bits=False, cut=0.0):
        """From `at` on; what comes less than `cut` seconds later is not driven. Gives the end."""
        count, parity = int(format[0]), format[1]
        bits = [byte >> place & 1 for place in range(count)]
        if reversed_bits:
            bits.reverse()
        ones = sum(bits) & 1
        levels = [0] + bits + {"N": [], "E": [ones], "O": [1 - ones]}[parity] + [1] * int(format[2])
        for place, level in enumerate(levels):
            if place * bit >= cut:
                change = at + (place + rng.gauss(0, 0.01)) * bit
                self.changes.append((change, 1 - level if inverted else level))
        return at + len(levels) * bit

    def pulse(self, at, to, level=None):
        """From `at` to `to` this level, or the other one than there would be."""
        self.pulses.append((at, to, level))

    def chatter(self, at, to, low, high, rng):
        """Levels at random; mean lengths in seconds."""
        while at < to:
            end = min(to, at + rng.expovariate(1 / low))
            self.pulse(at, end, 0)
            at = end + rng.expovariate(1 / high)

    def level(self, at):
        level = self.changes[max(0, bisect.bisect_right(self.changes, (at, 2)) - 1)][1]
        last = bisect.bisect_right(self.begins, at)
        for begin, end, forced in self.over[max(0, last - 3):last]:
            if begin <= at < end:
                level = 1 - level if forced is None else forced
        return level

    def receive(self, bit, format, rng):
        """(time, byte, fault) of each character."""
        self.changes.sort()
        self.over = sorted(self.pulses, key=lambda pulse: pulse[0])
        self.begins = [pulse[0] for pulse in self.over]
        edges = sorted({change[0] for change in self.changes[1:]} | {time for pulse in self.over for time in pulse[:2]})
        middle = rng.uniform(0.46, 0.54)
        count, parity = int(format[0]), format[1]
        heard, place, free = [], 0, 0.0
        while place < len(edges):
            edge = edges[place]
            place += 1
            if edge < free or self.level(edge + 1e-9) or not self.level(edge - 1e-9) or self.level(edge + middle * bit):
                continue
            sample = lambda number: self.level(edge + (number + middle) * bit)
            byte = sum(sample(1 + number) << number for number in range(count))
            stop = 1 + count + (parity != "N")
            fault = None
            if parity != "N" and sample(1 + count) != (bin(byte).count("1") + (parity == "O")) & 1:
                fault = "parity"
            free = edge + (stop + middle) * bit
            if not sample(stop):
                low = not any(sample(number) for number in range(stop + 1))
                fault = "break" if low else "framing"
                while place < len(edges) and not (edges[place] > free and self.level(edges[place] + 1e-9)):
                    place += 1
                free = edges[place] if place < len(edges) else float("inf")
            heard.append((edge + (stop + middle) * bit, byte, fault))
        return heard


# ---- captures --------------------------------------------------------------------------------------------------------

BANNER = (
    b"\r\nU-Boot 2023.04 (Apr 03 2023 - 20:14:22 +0000)\r\n\r\n"
    b"CPU:   Freescale i.MX6ULL rev1.1 at 396MHz\r\nReset cause: WDOG\r\n"
)


def nmea(number):
    body = b"GPRMC,%02d3519.00,A,4807.03%d,N,01131.000,E,022.4,084.4,230394,," % (number % 24, number % 10)
    check = 0
    for byte in body:
        check ^= byte
    return b"$" + body + b"*%02X\r\n" % check


CAUSES = (
    "clean baud-mismatch format-mismatch inverted bit-order noise-glitch noise-burst turnaround floating break flow-control echo crosstalk "
    "other-protocol application-running refused wrong-state device-reset interleaved corrupted truncated overrun no-answer loop"
).split()
# TX on RX and nobody else there: each question comes back, and is asked again.
MEANT = {"loop": "echo"}


def is_whole(protocol, heard, replies):
    """What was meant is what was heard; a preamble is there to be lost."""
    if protocol != "dlt645":
        return heard == b"".join(replies)
    at = 0
    for reply in replies:
        frame = reply.lstrip(b"\xfe")
        found = heard.find(frame, at)
        if found < 0 or heard[at:found].strip(b"\xfe"):
            return False
        at = found + len(frame)
    return at == len(heard)


def capture(protocol, cause, reports, rng):
    """The recording's lines, or None where the cause cannot act or leaves no trace."""
    talk, bauds, formats = PROTOCOLS[protocol]
    baud, format = rng.choice(bauds), rng.choice(formats)
    if cause == "refused":
        if protocol != "modbus-rtu":
            return None
        talk = lambda rng: modbus(rng, refusing=True)
    exchanges = list(talk(rng))
    if cause == "loop":
        if protocol == "kwp2000":
            return None  # on a K line everything that is sent comes back
        exchanges = [(question, b"") for question, _ in exchanges[:rng.randint(1, 3)] for _ in range(rng.randint(1, 4))]
    # Another device of the same kind, where devices have addresses.
    another = list(talk(rng))
    if cause == "interleaved" and (protocol in ("stm32", "stk500v1", "esp-rom") or another[0][0] == exchanges[0][0]):
        return None
    bit = 1 / baud
    character = character_bits(format) * bit
    sender = {"bit": bit * (1 + rng.uniform(-0.006, 0.006)), "format": format}
    if cause == "baud-mismatch":
        sender["bit"] /= rng.choice([0.25, 0.5, 0.6, 0.75, 0.83, 0.9, 1.1, 1.2, 1.33, 1.5])
    if cause == "format-mismatch":
        sender["format"] = rng.choice([other for other in ("8N1", "8E1", "8O1", "7E1") if other != format])
    if cause == "inverted":
        sender["inverted"] = True
    if cause == "bit-order":
        sender["reversed_bits"] = True
    wire = Wire(rests=0 if cause == "inverted" else 1)
    sent, lost = [], []
    most = len(exchanges)
    hurt = set(rng.sample(range(1, most), max(1, int(most * rng.uniform(0.15, 0.5))))) if most > 1 else set()
    at = 0.05
    for number, (question, reply) in enumerate(exchanges):
        for place, byte in enumerate(question):
            sent.append((at + (place + 1) * character, byte))
            if cause in ("echo", "loop"):
                wire.send(at + place * character + rng.uniform(0, 0.2) * bit, byte, bit, format, rng)
            if cause == "crosstalk" and rng.random() < 0.5:
                begin = at + (place + rng.uniform(0, 0.8)) * character
                wire.pulse(begin, begin + rng.uniform(0.5, 1.5) * bit, 0)
        at += len(question) * character + rng.uniform(3, 8) * character + 0.002
        said, hit = bytearray(reply), number in hurt
        cut, pause, again = 0.0, None, False
        if cause == "no-answer":
            said.clear()
        elif cause == "device-reset" and number == most // 2:
            said = bytearray(BANNER)
        elif cause == "application-running":
            said = bytearray(b"I (%d) app: sensor ok, t=%d.%d C\r\n" % (320 + number * 500, 20 + number % 5, number % 10))
        elif cause == "other-protocol":
            said = bytearray(nmea(number))
        elif cause == "corrupted" and hit and len(said) > 1:
            said[rng.randrange(len(said))] ^= rng.randrange(1, 256)
        elif cause == "truncated" and hit and len(said) > 2:
            del said[rng.randrange(1, len(said) - 1):]
        elif cause == "turnaround" and hit:
            cut = rng.uniform(1.5, 8.5) * bit
        elif cause == "overrun" and hit and len(said) > 3:
            first = rng.randrange(1, len(said) - 1)
            lost += [at + (place + 0.1) * character for place in range(first, min(len(said) - 1, first + rng.randint(1, 4)))]
        elif cause == "flow-control" and hit and len(said) > 4:
            pause = rng.randrange(1, len(said) - 1)
        elif cause == "wrong-state" and hit:
            if rng.random() < 0.5:
                again = True
            else:
                at += rng.uniform(2.0, 4.0)
        elif cause == "interleaved" and hit:
            said = bytearray(rng.choice(another)[1])
        if cause == "noise-burst" and hit:
            begin = at + rng.uniform(0, max(1, len(said) - 1)) * character
            wire.chatter(begin, begin + rng.uniform(1, 6) * character, 0.6 * bit, 0.5 * bit, rng)
        for _ in range(2 if again else 1):
            for place, byte in enumerate(said):
                if pause == place:
                    at = wire.send(at, 0x13, sender["bit"], format, rng) + rng.uniform(0.3, 1.0)
                    at = wire.send(at, 0x11, sender["bit"], format, rng)
                if cause == "noise-glitch" and rng.random() < 0.08:
                    begin = at + rng.uniform(0, 9.5) * bit
                    wire.pulse(begin, begin + rng.uniform(0.3, 1.0) * bit)
                at = wire.send(at, byte, rng=rng, cut=cut if place == 0 else 0.0, **sender)
            if again:
                at += 6 * character
        if cause == "break" and hit:
            wire.pulse(at + 2 * character, at + (3.3 + rng.uniform(0, 5)) * character, 0)
            at += 9 * character
        if cause == "noise-glitch" and rng.random() < 0.2:
            begin = at + rng.uniform(1, 3) * character
            wire.pulse(begin, begin + rng.uniform(0.3, 1.0) * bit, 0)
        if cause == "floating":
            begin = at + rng.uniform(1, 3) * character
            end = begin + rng.uniform(5, 60) * character
            wire.chatter(begin, end, 1.5 * bit, 3 * bit, rng)
            at = end
        at += rng.uniform(8, 20) * character + 0.03
    heard = wire.receive(bit, format, rng)
    start = (character_bits(format) - 0.5) * bit
    kept, missing = [], False
    for time, byte, fault in heard:
        if any(abs(time - start - begin) < 1.5 * bit for begin in lost):
            missing = True
            continue
        kept.append((time, byte, "overrun" if missing else fault))
        missing = False
    told = reports != "none"
    if cause not in ("clean", "refused", "wrong-state", "no-answer", "interleaved"):
        same = is_whole(protocol, bytes(byte for _, byte, _ in kept), [reply for _, reply in exchanges])
        if same and not (told and any(fault for *_, fault in kept)):
            return None
    events = [(time, "tx", byte, None) for time, byte in sent]
    events += [(time, "rx", byte, fault if told else None) for time, byte, fault in kept]
    lines = [{"hsdiag": "events", "version": 1, "baud": baud, "format": format, "line_errors": reports}]
    for time, direction, byte, fault in sorted(events, key=lambda event: event[0]):
        event = {"at": round(time, 7), "dir": direction, "hex": "%02X" % byte}
        lines.append(event | ({"fault": fault} if fault else {}))
    return "".join(json.dumps(line) + "\n" for line in lines)


# ---- what hsdiag says of them ----------------------------------------------------------------------------------------

# By how line errors are told: the part that is named at least.
LEAST = {"per-byte": 0.85, "none": 0.8}
# Without line errors, a changed byte is a changed byte.
ALIKE = {"noise-glitch", "noise-burst", "corrupted"}


def decoded(arguments, job):
    protocol, cause, _, reports = job
    name = "%s-%s-%d-%s" % job
    lines = capture(protocol, cause, reports, random.Random("%d %s" % (arguments.seed, name)))
    if lines is None:
        return None
    path = os.path.join(arguments.folder, name + ".jsonl")
    with open(path, "w") as file:
        file.write(lines)
    command = [arguments.hsdiag, "decode", path, "--protocol", protocol, "--json"]
    ran = subprocess.run(command, capture_output=True, text=True)
    said = json.loads(ran.stdout)["diagnosis"][0]["cause"]
    return job, said, said == MEANT.get(cause, cause) or reports == "none" and {cause, said} <= ALIKE


def show(causes, answers):
    """A line for each cause; gives the part that is right."""
    for cause in causes:
        of_cause = [answer for answer in answers if answer[0][1] == cause]
        if not of_cause:
            continue
        right = sum(answer[2] for answer in of_cause)
        wrong = collections.Counter("%s: %s" % (answer[0][0], answer[1]) for answer in of_cause if not answer[2])
        instead = ", ".join("%s (%d)" % one for one in wrong.most_common(6))
        print(("    %-20s %3d of %3d  %s" % (cause, right, len(of_cause), instead)).rstrip())
    return sum(answer[2] for answer in answers) / max(1, len(answers))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="where the recordings go")
    parser.add_argument("hsdiag")
    parser.add_argument("--each", type=int, default=2, help="captures of each cause and protocol")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cause")
    arguments = parser.parse_args()
    os.makedirs(arguments.folder, exist_ok=True)
    causes = [cause for cause in CAUSES if arguments.cause in (None, cause)]
    numbers = range(arguments.each)
    jobs = list(itertools.product(PROTOCOLS, causes, numbers, LEAST))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = [answer for answer in pool.map(lambda job: decoded(arguments, job), jobs) if answer]
    passed = failed = 0
    for reports, least in LEAST.items():
        of_kind = [answer for answer in answers if answer[0][3] == reports]
        part = show(causes, of_kind)
        holds = part >= least
        passed, failed = passed + holds, failed + (not holds)
        said = "line errors told %s: %.1f %% of %d named, at least %.0f %%" % (reports, 100 * part, len(of_kind), 100 * least)
        print("%-7s %s" % ("ok" if holds else "FAILED", said))
    print("%d passed, %d failed" % (passed, failed))
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
