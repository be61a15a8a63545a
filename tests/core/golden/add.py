"""Adds a golden record of the version that is written now: a new file, never a change of an old one.

`python -m tests.core.golden.add NAME < message.json`, where message.json is `{"type": ..., "data": {...}}`.
"""

import json
import sys
import uuid

from kchat.core import FORMAT_VERSION, Message, NewRecord, encode
from tests.core.golden import HERE, Golden


def main(arguments: list[str], text: str) -> str:
    """Write the file of this name, unless there is one."""
    (name,) = arguments
    message = Message(**json.loads(text))
    record = encode(message, key=b"golden", message_id=uuid.uuid4().hex)
    if not isinstance(record, NewRecord):
        return f"{record.path}: {record.reason}"
    try:
        with (HERE / f"v{FORMAT_VERSION}-{name}.json").open("x", encoding="ascii") as file:
            file.write(Golden(FORMAT_VERSION, record, message).dumped())
    except FileExistsError:
        return f"{name} is there: what was written once stays as it is; choose another name"
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdin.read()))
