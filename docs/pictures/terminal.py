#!/usr/bin/env python3
"""A terminal's output, with its colours, as an SVG: hsdiag … --color always | terminal.py 'the command' > picture.svg"""
import html, re, sys, unicodedata

command, lines = sys.argv[1], sys.stdin.read().rstrip("\n").split("\n")
COLOURS = {30: "#5c6370", 31: "#e06c75", 32: "#98c379", 33: "#e5c07b", 34: "#61afef", 35: "#c678dd", 36: "#56b6c2", 37: "#dcdfe4", 90: "#7f848e",
           91: "#e06c75", 92: "#98c379", 93: "#e5c07b", 94: "#61afef", 95: "#c678dd", 96: "#56b6c2", 97: "#ffffff"}
WIDTH, HEIGHT, LEFT, TOP = 8.42, 19, 18, 30


def spans(line):
    """Pieces of one line with their style."""
    style = {}
    for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
        code = re.fullmatch(r"\x1b\[([0-9;]*)m", piece)
        if not code:
            if piece:
                yield piece, dict(style)
            continue
        for number in [int(n or 0) for n in code[1].split(";")]:
            if number == 0:
                style = {}
            elif number == 1:
                style["font-weight"] = "bold"
            elif number == 2:
                style["opacity"] = "0.65"
            elif number in COLOURS:
                style["fill"] = COLOURS[number]


def cells(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
columns = max(cells(text) for text in [*plain, "$ " + command])
width, height = int(LEFT * 2 + columns * WIDTH), TOP + HEIGHT * (len(lines) + 2)
print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">')
print(f'<rect width="100%" height="100%" rx="8" fill="#21252b"/>')
print('<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" fill="#dcdfe4" xml:space="preserve">')
print(f'<text x="{LEFT}" y="{TOP}"><tspan fill="#98c379">$</tspan> {html.escape(command)}</text>')
for number, line in enumerate(lines):
    at, out = 0, []
    for piece, style in spans(line):
        attributes = "".join(f' {key}="{value}"' for key, value in style.items())
        out.append(f'<tspan x="{LEFT + at * WIDTH:.1f}"{attributes}>{html.escape(piece)}</tspan>')
        at += cells(piece)
    print(f'<text y="{TOP + HEIGHT * (number + 1)}">{"".join(out)}</text>')
print("</g></svg>")
