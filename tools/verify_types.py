"""Check that every public name of kchat has a full type, as pyright sees it: so do the editors of our users.

A name counts that has no underscore in front, in a module that has none. basedpyright is pyright in a wheel
that brings its own Node.js and downloads nothing.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def incomplete(report: dict[str, Any]) -> list[str]:
    """Each name without a full type, and why, from pyright's own report."""
    symbols = [symbol for symbol in report["typeCompleteness"]["symbols"] if symbol["isExported"]]
    if not symbols:
        raise LookupError("pyright found no public name of kchat: is it installed here?")
    return [
        f"{symbol['name']}: {'; '.join(each['message'] for each in symbol['diagnostics']) or 'see its parts'}"
        for symbol in symbols
        if symbol["isTypeAmbiguous"] or not symbol["isTypeKnown"]
    ]


def main() -> int:
    """Print what is incomplete; the exit code is 1 if anything is."""
    command = [str(BIN / "basedpyright"), "--verifytypes", "kchat", "--ignoreexternal", "--outputjson"]
    # It asks the first Python on the path where packages are, whatever --pythonpath says.
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    found = incomplete(json.loads(done.stdout))
    for line in found:
        print(line, file=sys.stderr)  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
