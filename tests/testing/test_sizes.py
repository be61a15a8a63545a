"""The fake counts bytes, and chooses partitions, as Kafka and its clients do."""

from itertools import pairwise

import confluent_kafka
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kchat.core import NewRecord
from kchat.testing.murmur2 import murmur2
from kchat.testing.sizes import CLIENT_BYTES_MAX, batch_bytes, batches, client_bytes


@pytest.mark.parametrize(
    ("key", "signed"),
    [
        (b"21", -973_932_308),
        (b"foobar", -790_332_482),
        (b"a-little-bit-long-string", -985_981_536),
        (b"a-little-bit-longer-string", -1_486_304_829),
        (b"abc", 479_470_107),
    ],
)
def test_the_hash_is_the_java_clients(key: bytes, signed: int) -> None:
    """The vectors of Kafka's own `UtilsTest`."""
    assert murmur2(key) == signed & 0xFFFFFFFF


@given(st.binary(max_size=40), st.integers(1, 100))
def test_the_partition_is_the_one_that_the_client_chooses(key: bytes, partitions: int) -> None:
    assert (murmur2(key) & 0x7FFFFFFF) % partitions == confluent_kafka.murmur2(key, partitions)


@pytest.mark.parametrize(
    ("key", "headers", "value_bytes_max"),
    [
        (None, (), 999_964),
        (b"k" * 10, (), 999_954),
        (None, (("ab", b"xyz"),), 999_957),
        (b"k", (("ab", b"xyz"), ("c", b"")), 999_953),
    ],
)
def test_the_client_takes_so_much_and_no_more(
    key: bytes | None, headers: tuple[tuple[str, bytes], ...], value_bytes_max: int
) -> None:
    """Measured on confluent-kafka 2.16.1: one byte more, and `produce` raised MSG_SIZE_TOO_LARGE."""
    record = NewRecord(key=key, value=b"x" * value_bytes_max, headers=headers)
    assert client_bytes(record) == CLIENT_BYTES_MAX


def test_a_batch_is_as_large_as_the_broker_counts_it() -> None:
    """Measured on Kafka 4.3.1: with `max.message.bytes=1000` a value of 930 bytes was stored, 931 was not."""
    assert batch_bytes([NewRecord(key=None, value=b"x" * 930)]) == 1_000


@given(st.lists(st.sampled_from([0, 10, 300_000, 600_000, 999_900]), max_size=8))
def test_batches_keep_the_order_and_the_clients_limit(sizes: list[int]) -> None:
    records = [NewRecord(key=None, value=b"x" * size) for size in sizes]
    made = batches(records)
    assert [record for batch in made for record in batch] == records
    assert all(len(batch) == 1 or batch_bytes(batch) <= CLIENT_BYTES_MAX for batch in made)
    joined = [[*first, second[0]] for first, second in pairwise(made)]
    assert all(batch_bytes(batch) > CLIENT_BYTES_MAX for batch in joined), "no more batches than it takes"
