"""Appending: what was appended is there whole, in order, where the log said; or nothing of it is."""

import time

import pytest

from kchat.core import (
    HEADER_ID,
    Acknowledged,
    Appended,
    Complete,
    EnsureTopic,
    ErrorKind,
    InvalidMessage,
    Log,
    NewRecord,
    Record,
    Refused,
    TopicReady,
    encoded,
)
from kchat.testing.conformance.session import RawDecoder, Session, heard, record, texts
from kchat.testing.conformance.suite import Suite


def padded(text: str, size_bytes: int, key: bytes | None) -> NewRecord:
    """A good record that counts as exactly this size."""
    return record(text + "x" * (size_bytes - record(text, key).size_bytes_max), key)


class AppendConformance(Suite):
    """P1, P2, P3: order, acknowledgement, all or nothing."""

    @pytest.mark.parametrize("count", [1, 2, 50, 1_000])
    def test_appended_messages_read_back_whole_and_in_order(self, session: Session, count: int) -> None:
        """P1, for one call."""
        session.say(*texts(count))
        outcome = session.read()
        assert isinstance(outcome, Complete)
        assert heard(outcome) == texts(count)

    def test_appends_read_back_in_the_order_of_their_calls(self, session: Session) -> None:
        """P1, for several calls."""
        for text in texts(20):
            session.say(text)
        assert session.hear() == texts(20)

    def test_acknowledged_places_are_where_the_records_are(self, session: Session) -> None:
        """P2: an acknowledgement is a place in the log."""
        places = (*session.say(*texts(3)), *session.say(*texts(3, start=3)))
        deliveries = session.read().progress.deliveries
        assert tuple(Acknowledged(d.partition, d.offset) for d in deliveries) == places
        assert len(set(places)) == 6

    def test_one_key_stays_in_one_partition(self, session: Session) -> None:
        """Or its order would be lost."""
        places = [place for text in texts(10) for place in session.say(text)]
        assert len({place.partition for place in places}) == 1
        assert [place.offset for place in places] == list(range(10))

    def test_key_value_and_headers_come_back_as_they_were(self, session: Session) -> None:
        """Byte for byte: a header may repeat, be empty, or have no value."""
        headers = (("a", b"\x00\xff"), ("b", b""), ("a", b"again"), ("c", None))
        session.append(
            NewRecord(key=b"\xff\x00", value=b"\x00\xfe", headers=headers),
            NewRecord(key=b"", value=b""),
            NewRecord(key=None, value=b"keyless"),
            partition=0,
        )
        found = session.read_as(RawDecoder()).messages
        assert [(r.key, r.value, r.headers) for r in found] == [
            (b"\xff\x00", b"\x00\xfe", headers),
            (b"", b"", ()),
            (None, b"keyless", ()),
        ]

    def test_record_timestamps_never_go_back(self, session: Session) -> None:
        """Of one writer in one partition."""
        for text in texts(10):
            session.say(text)
        stamps = [delivery.timestamp_ms for delivery in session.read().progress.deliveries]
        assert len(stamps) == 10
        assert stamps == sorted(stamps)

    def test_partitions_merge_by_timestamp_then_partition_then_offset(self, session: Session) -> None:
        """P1 for topics of keyless writers: the order that every reader agrees on."""
        written: list[str] = []
        for round_, partition in [(n, p) for n in range(10) for p in (2, 0, 1)]:
            written.append(f"{round_} to {partition}")
            session.append(record(written[-1], None), partition=partition)
        deliveries = session.read().progress.deliveries
        order = [(d.timestamp_ms, d.partition, d.offset) for d in deliveries]
        assert order == sorted(order)
        assert sorted(d.message.text for d in deliveries) == sorted(written)
        assert len({stamp for stamp, _, _ in order}) > 1, "30 calls within one millisecond prove no order"
        for partition in range(3):
            own = [d.message.text for d in deliveries if d.partition == partition]
            assert own == [f"{n} to {partition}" for n in range(10)]

    def test_an_append_of_nothing_is_acknowledged_and_does_nothing(self, session: Session) -> None:
        """Not even a topic is created for it."""
        assert session.append() == Appended(())
        began = time.monotonic()
        assert session.hear() == []
        assert time.monotonic() - began < 0.9, "no read need wait for a topic that nobody made"
        ensured = session.face.provision(EnsureTopic(topic=session.topic, settings=session.settings))
        assert isinstance(ensured, TopicReady)
        assert ensured.created

    def test_an_asked_partition_is_used(self, session: Session) -> None:
        """Whatever the key says."""
        places = [session.say("there", partition=partition)[0] for partition in (2, 0, 1)]
        assert [place.partition for place in places] == [2, 0, 1]

    def test_a_missing_partition_is_refused(self, session: Session) -> None:
        """And nothing of the call is stored."""
        session.say("before")
        outcome = session.append(*session.records("lost", "lost too"), partition=1_000)
        assert isinstance(outcome, Refused), outcome
        assert outcome.error.kind is ErrorKind.UNKNOWN_TOPIC
        assert session.hear() == ["before"]

    def test_a_missing_topic_is_refused_without_settings_to_create_it(self, session: Session) -> None:
        """Certainly not stored: so Refused, not Unknown."""
        outcome = session.append(*session.records("lost"), settings=None, wait_ms_max=5_000)
        assert isinstance(outcome, Refused), outcome
        assert outcome.error.kind is ErrorKind.UNKNOWN_TOPIC

    def test_the_largest_record_is_stored(self, session: Session, log: Log) -> None:
        """`record_bytes_max` is a size that passes."""
        session.append(padded("large ", log.record_bytes_max, session.placement.key))
        (text,) = session.hear()
        assert text.startswith("large x")

    @pytest.mark.parametrize("excess_bytes", [1, 1_000_000])
    def test_too_large_a_record_is_refused(self, session: Session, log: Log, excess_bytes: int) -> None:
        """By the client or by the broker: nothing is stored."""
        session.say("before")
        outcome = session.append(padded("lost", log.record_bytes_max + excess_bytes, session.placement.key))
        assert isinstance(outcome, Refused), outcome
        assert outcome.error.kind is ErrorKind.REJECTED
        assert session.hear() == ["before"]

    def test_a_checked_call_with_one_large_message_sends_nothing(self, session: Session, log: Log) -> None:
        """P3: its neighbours neither, since all are checked before the first is sent."""
        before, after = session.records("before", "after")
        records = [before, padded("lost", log.record_bytes_max + 1, session.placement.key), after]
        with pytest.raises(InvalidMessage) as refused:
            session.append(
                *encoded(records, lambda one: one, session="any", record_bytes_max=log.record_bytes_max)
            )
        assert refused.value.index == 1
        assert session.hear() == []

    def test_an_unchecked_call_with_one_large_record_stores_nothing(self, session: Session, log: Log) -> None:
        """P3 is the log's own promise too: it knows its limit."""
        large = padded("lost", 2 * log.record_bytes_max, session.placement.key)
        before, after = session.records("before", "after")
        outcome = session.append(before, large, after)
        assert isinstance(outcome, Refused), outcome
        assert outcome.error.kind is ErrorKind.REJECTED
        assert session.hear() == []

    def test_a_resent_append_is_read_once(self, session: Session) -> None:
        """P2: after an unknown outcome the same records are appended again, in the same order."""
        records = session.records(*texts(3))
        session.append(*records)
        session.say("between")
        session.append(*records)
        progress = session.read().progress
        assert [d.message.text for d in progress.deliveries] == [*texts(3), "between"]
        assert progress.duplicates == 3
        raw: tuple[Record, ...] = session.read_as(RawDecoder()).messages
        ids = [one.header(HEADER_ID) for one in raw]
        assert len(set(ids)) == 4, "the read hands out each id once, whatever the decoder"
