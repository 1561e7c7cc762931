#!/usr/bin/env python3
"""What a program holds, as CycloneDX 1.5 on standard output: sbom.py TARGET. Run in the repository; the same commit and compiler give the same text."""

import json
import os
import sys
import time
import uuid

import held


def component(part, kind):
    found = {"type": kind, "bom-ref": part.reference, "name": part.name, "version": part.version, "purl": part.reference}
    if part.description:
        found["description"] = part.description
    if part.license:
        found["licenses"] = [{"expression": part.license}]
    if part.checksum:
        found["hashes"] = [{"alg": "SHA-256", "content": part.checksum}]
    if part.repository:
        found["externalReferences"] = [{"type": "vcs", "url": part.repository}]
    return found


target = sys.argv[1]
program, parts = held.parts(target)
bom = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    "version": 1,
    "metadata": {
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))),
        "component": component(program, "application"),
        "properties": [{"name": "hsdiag:target", "value": target}],
    },
    "components": [component(part, "library") for part in parts],
    "dependencies": [{"ref": part.reference, "dependsOn": list(part.needs)} for part in [program, *parts]],
}
bom["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(bom, sort_keys=True))}"
print(json.dumps(bom, indent=2, sort_keys=True))
