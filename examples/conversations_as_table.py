"""The codec on its own: records of conversations as rows of a polars table, without a client or LangChain.

It runs without Kafka, on records that a FakeBroker keeps.
"""

from collections.abc import Iterable

import polars

from kchat.conversation import conversation
from kchat.core import Corrupt, JsonDecoder, Message, Record
from kchat.testing import FakeBroker

# --8<-- [start:reader]
COLUMNS = ("key", "offset", "timestamp_ms", "type", "text")


def row(record: Record) -> tuple[str | None, int, int, str, str]:
    """One record as one row: whose, where, when, who and what. It raises nothing, whatever is in it."""
    found = JsonDecoder().decode(record)
    key = None if record.key is None else record.key.decode("utf-8", "replace")
    if isinstance(found, Corrupt):
        return key, record.offset, record.timestamp_ms, "corrupt", found.reason
    return key, record.offset, record.timestamp_ms, found.type, found.text


def table(records: Iterable[Record]) -> polars.DataFrame:
    """The rows of all records, oldest first."""
    return polars.DataFrame(map(row, records), schema=COLUMNS, orient="row").sort("timestamp_ms", "offset")


# --8<-- [end:reader]


def main() -> None:
    """Two conversations, and how much each speaker said in them."""
    broker = FakeBroker()
    for session in ("alice", "bob"):
        said = [Message("human", {"content": f"I am {session}."}), Message("ai", {"content": "Hello."})]
        conversation(broker, session).append(said)
    topics = broker.cluster.topics.values()
    records = [record for topic in topics for each in topic.partitions for record in each.records]
    said_by = (
        table(records)
        .group_by("key", "type")
        .agg(polars.col("text").str.len_chars().sum())
        .sort("key", "type")
    )
    print(said_by.rows())


if __name__ == "__main__":
    main()
