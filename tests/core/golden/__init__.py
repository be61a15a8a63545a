"""Records of every format version that was ever written, and what they mean (see README.md)."""

import json
from pathlib import Path
from typing import Any

from attrs import frozen

from kchat.core import HEADER_ID, Message, NewRecord, Record

HERE = Path(__file__).parent


@frozen
class Golden:
    """One record as it was written, and the message that it is."""

    version: int
    record: NewRecord
    message: Message

    @classmethod
    def load(cls, path: Path) -> "Golden":
        stored = json.loads(path.read_text("ascii"))
        key, headers = stored["key"], stored["headers"]
        return cls(
            version=stored["version"],
            record=NewRecord(
                key=None if key is None else key.encode(),
                value=stored["value"].encode("ascii"),
                headers=tuple((name, value.encode()) for name, value in headers),
            ),
            message=Message(**stored["message"]),
        )

    @property
    def fetched(self) -> Record:
        """The record as a reader gets it."""
        return Record(0, 0, 0, self.record.key, self.record.value, self.record.headers)

    @property
    def message_id(self) -> str:
        return dict(self.record.headers)[HEADER_ID].decode()  # type: ignore[union-attr]

    def dumped(self) -> str:
        """The text of the file."""
        stored: dict[str, Any] = {
            "version": self.version,
            "key": None if self.record.key is None else self.record.key.decode(),
            "headers": [[name, (value or b"").decode()] for name, value in self.record.headers],
            "value": self.record.value.decode("ascii"),
            "message": {"type": self.message.type, "data": self.message.data},
        }
        return json.dumps(stored, indent=2) + "\n"


PATHS = sorted(HERE.glob("*.json"))
