#!/usr/bin/env bash
# The JSON Schema of table files, tried by the validator `jsonschema` on every shipped table.
# Usage: schema.sh WORK_FOLDER HSDIAG
set -euo pipefail

work=$1
hsdiag=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$work"
[ -x "$work/venv/bin/python" ] || python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet jsonschema
"$work/venv/bin/python" "$here/schema.py" "$hsdiag" "$here/../../protocols"
