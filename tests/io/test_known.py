from kchat.core import (
    Acknowledged,
    Appended,
    BrokerError,
    Complete,
    ErrorKind,
    Failed,
    Partial,
    Position,
    Progress,
    Refused,
    RemoveTopic,
    TopicFailed,
    TopicGone,
    TopicReady,
    Unknown,
)
from kchat.core.outcomes import Limit
from kchat.io.known import KnownTopics

GONE = BrokerError(ErrorKind.UNKNOWN_TOPIC, "UNKNOWN_TOPIC_OR_PART")
SLOW = BrokerError(ErrorKind.TIMED_OUT, "_TIMED_OUT")


def test_an_acknowledged_append_proves_the_topic() -> None:
    known = KnownTopics()
    known.learn_append("t", Refused(SLOW))
    assert "t" not in known
    known.learn_append("t", Appended((Acknowledged(0, 0),)))
    assert "t" in known


def test_an_append_of_nothing_proves_nothing() -> None:
    known = KnownTopics()
    known.learn_append("t", Appended(()))
    assert "t" not in known


def test_an_append_that_found_no_topic_forgets_it_and_another_failure_does_not() -> None:
    known = KnownTopics()
    known.learn_append("t", Appended((Acknowledged(0, 0),)))
    known.learn_append("t", Unknown(error=SLOW, acknowledged=0, records=()))
    assert "t" in known
    known.learn_append("t", Refused(GONE))
    assert "t" not in known


def test_a_read_that_found_no_partition_forgets_the_topic() -> None:
    known = KnownTopics()
    known.learn_append("t", Appended((Acknowledged(0, 0),)))
    known.learn_read("t", Complete(Progress(positions=(Position(0, 0),))))
    known.learn_read("t", Partial(Progress(), Limit.TIME))
    assert "t" in known
    known.learn_read("t", Complete(Progress()))
    assert "t" not in known


def test_provisioning_tells() -> None:
    known = KnownTopics()
    known.learn_provision(RemoveTopic(topic="t"), TopicReady(partitions=(0,), created=True))
    known.learn_provision(RemoveTopic(topic="t"), TopicFailed(SLOW))
    assert "t" in known
    known.learn_provision(RemoveTopic(topic="t"), TopicGone(deleted=True))
    assert "t" not in known


def test_the_memory_is_bounded_and_forgets_the_oldest() -> None:
    known = KnownTopics(size=2)
    for topic in ("a", "b", "a", "c"):
        known.learn_append(topic, Appended((Acknowledged(0, 0),)))
    assert [topic in known for topic in "abc"] == [True, False, True]


def test_a_read_tells_the_partitions_and_not_that_the_topic_must_be_there() -> None:
    known = KnownTopics()
    known.learn_read("t", Complete(Progress(positions=(Position(0, 0), Position(1, 4)))))
    assert known.partitions("t") == (0, 1)
    assert "t" not in known, "whoever only reads it must not wait for one that another has deleted"
    known.learn_append("t", Appended((Acknowledged(0, 0),)))
    known.learn_read("t", Complete(Progress(positions=(Position(0, 0),))))
    assert "t" in known
    known.learn_read("t", Complete(Progress()))
    assert known.partitions("t") == ()


def test_a_read_of_one_partition_tells_nothing_of_the_others() -> None:
    known = KnownTopics()
    known.learn_append("t", Appended((Acknowledged(0, 0),)))
    known.learn_read("t", Complete(Progress(positions=(Position(1, 4),))), 1)
    assert known.partitions("t") == ()
    known.learn_read("t", Failed(Progress(), BrokerError(ErrorKind.UNKNOWN_TOPIC, "_UNKNOWN_PARTITION")), 9)
    assert "t" in known
    known.learn_read("t", Failed(Progress(), GONE), 1)
    assert "t" not in known
