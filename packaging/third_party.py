#!/usr/bin/env python3
"""The licenses of all that a program holds, each text once, on standard output: third_party.py TARGET. Run in the repository."""

import sys

import held

_, parts = held.parts(sys.argv[1])
texts = {}
print("hsdiag holds these libraries. Sources under MPL-2.0 are unchanged and are where the address beside them says.\n")
for part in parts:
    print(f"{part.name} {part.version}: {part.license}  {part.repository}")
    for path in part.texts:
        text = "\n".join(line.rstrip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()).strip()
        texts.setdefault(text, []).append(f"{part.name} ({path.name})")
for text, names in texts.items():
    print(f"\n{'=' * 80}\n{', '.join(names)}\n{'-' * 80}\n{text}")
