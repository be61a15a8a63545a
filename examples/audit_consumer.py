"""An audit that misses nothing: a reader with a place of its own in Kafka, at least once, across crashes.

It commits after its work is done, never before. So a crash between the two brings the same messages again,
and their ids tell which of them it has seen. Other readers of the conversation know nothing of it.
"""

from collections.abc import Callable

from kchat.conversation import Conversation, Cursor, Entry
from kchat.core import Message
from kchat.io import EmbeddedKafka

BATCH = 3

Write = Callable[[Entry[Message]], None]


class Book:
    """What the audit writes: to a database, say, with the message's id as the key. Writing twice is once."""

    def __init__(self) -> None:
        self.lines: dict[str, str] = {}
        self.repeated = 0

    def write(self, entry: Entry[Message]) -> None:
        """One line for each message."""
        key = entry.message_id or str(entry.position)  # another program's records have no id
        self.repeated += key in self.lines
        self.lines[key] = f"{entry.message.type}: {entry.message.text}"


def audit(cursor: Cursor[Message], write: Write) -> None:
    """Work through all that came since the last commit. `read(BATCH, wait_seconds=60)` waits for more."""
    while entries := cursor.read(BATCH):
        for entry in entries:
            write(entry)
        cursor.commit()  # only now: what is committed never comes again


class PowerFailure(BaseException):
    """The process is gone."""


def crashing(write: Write, after: int) -> Write:
    """Writes so many lines, and then the power fails."""
    left = after

    def write_or_die(entry: Entry[Message]) -> None:
        nonlocal left
        if left == 0:
            raise PowerFailure
        left -= 1
        write(entry)

    return write_or_die


def main() -> None:
    """Seven messages, and a crash behind the fifth: in the middle of the second batch."""
    book = Book()
    with EmbeddedKafka() as embedded, embedded.log() as log:
        talk: Conversation[Message] = log.conversation("support-17")
        talk.append([Message("human", {"content": f"question {n}"}) for n in range(1, 8)])
        try:
            audit(talk.cursor("audit"), crashing(book.write, after=5))
        except PowerFailure:
            print(f"it crashed with {len(book.lines)} lines in the book")

        # Another process, or the same one, started again: the name is all that it needs.
        audit(talk.cursor("audit"), book.write)
        print(f"{len(book.lines)} lines, {book.repeated} messages came twice, none is missing")
        print(f"{len(talk.cursor('audit').read(BATCH))} messages are left for the next run")


if __name__ == "__main__":
    main()
