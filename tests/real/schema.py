"""Every shipped table against the JSON Schema that hsdiag prints, judged by a validator that others wrote."""

import json
import pathlib
import subprocess
import sys
import tomllib

from jsonschema import Draft202012Validator


def main(hsdiag: str, folder: str) -> int:
    schema = json.loads(subprocess.check_output([hsdiag, "protocols", "schema"]))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    tables = sorted(pathlib.Path(folder).glob("*.toml"))
    wrong = 0
    for path in tables:
        for error in validator.iter_errors(tomllib.loads(path.read_text())):
            wrong += 1
            print(f"{path.name}: {'.'.join(map(str, error.absolute_path))}: {error.message}")
    misspelt = {"name": "x", "line": {"format": "9X9", "baud": [0], "gapp": "1 s"}, "fraems": {}}
    found = len(list(validator.iter_errors(misspelt)))
    holds = {
        f"{len(tables)} shipped tables are as the schema says": bool(tables) and wrong == 0,
        f"a table with four mistakes is not: {found} found": found >= 4,
    }
    for name, so in holds.items():
        print("ok     " if so else "FAILED ", name)
    passed = sum(holds.values())
    print(f"{passed} passed, {len(holds) - passed} failed")
    return 0 if passed == len(holds) else 1


sys.exit(main(sys.argv[1], sys.argv[2]))
