"""A conversation that is cleared again and again under its readers: what they see of it is no error."""

import threading
import uuid
from collections.abc import Callable

import pytest

from kchat.core import Message, ReadFailed
from kchat.io import KafkaLog

CLEARS = 15
CODE = "UNKNOWN_TOPIC_OR_PART"

pytestmark = pytest.mark.kafka


def test_who_reads_while_another_clears_meets_no_missing_topic(kafka: str) -> None:
    session = f"cleared-{uuid.uuid4().hex}"
    over, failures = threading.Event(), []
    reads = dict.fromkeys(("whole", "cursor"), 0)

    def read(name: str, once: Callable[[], object]) -> None:
        while not over.is_set():
            try:
                once()
                reads[name] += 1
            except ReadFailed as error:
                failures.append(error)

    with KafkaLog({"bootstrap.servers": kafka}) as log, KafkaLog({"bootstrap.servers": kafka}) as other:
        talk, writer = log.conversation(session), other.conversation(session)
        ways = (("whole", talk.read), ("cursor", lambda: talk.cursor("audit").read(9)))
        readers = [threading.Thread(target=read, args=way) for way in ways]
        for each in readers:
            each.start()
        try:
            for _ in range(CLEARS):
                writer.append([Message("human", {"content": "x"})])
                writer.clear()
        finally:
            over.set()
            for each in readers:
                each.join()
    assert [error for error in failures if error.code == CODE] == []
    assert min(reads.values()) > CLEARS, "they read all the time"
