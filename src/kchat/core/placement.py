"""Where a session's records are: topic, key, partition (docs/adr/0004-session-to-topic.md).

A session has a topic of its own. An id that is a legal topic name is the topic's name, so the topics of
langchain_community's class stay readable. Every other id is escaped: letters, digits and "." stand for
themselves, every other byte of its UTF-8 becomes "-" and two hex digits, behind the mark "kchat--".
"""

import re

from attrs import frozen

from kchat.core.checks import KAFKA_TOPICS, is_legal_name, shown
from kchat.core.errors import InvalidSessionId

TOPIC_LENGTH_MAX = 249
"""Kafka's limit of a topic name, in characters (`Topic.MAX_NAME_LENGTH`)."""

ESCAPE_MARK = "kchat--"
"""Begins the name of an escaped session. A legal id that begins so is escaped itself: no two ids meet."""

OWN_PARTITION = 0
"""Where a session's records are in a topic of its own. Every topic has this one, for as long as it lives; the
one that a key chooses is another as soon as somebody adds partitions."""

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.")
_ESCAPED = re.compile(r"(?:[a-zA-Z0-9.]|-[0-9a-f]{2})+")


@frozen(kw_only=True)
class Placement:
    """Where one session is.

    `key` is written with every record. `key_filter` is None where the topic is the session's own: then
    records without a key are its too. `partition` is the one that is read; None: all of them.
    `append_partition` is the one that is appended to; None: the key chooses it.
    """

    topic: str
    key: bytes
    key_filter: bytes | None = None
    partition: int | None = None
    append_partition: int | None = None

    @property
    def group(self) -> str:
        """The consumer group that holds the session's cursor: the topic's name, so that it is as legal."""
        return self.topic


def place(session_id: str) -> Placement:
    """The placement of a session in a topic of its own.

    Raises:
        InvalidSessionId: the id is no string, empty, not valid Unicode, or its topic name would be longer
            than Kafka's 249 characters. It is a ValueError too, raised before any client is touched.
    """
    session_id = _exact(session_id)
    key = _encoded(session_id)
    if _is_own_name(session_id):
        return Placement(topic=session_id, key=key, append_partition=OWN_PARTITION)
    topic = ESCAPE_MARK + "".join(chr(b) if b in _PLAIN else f"-{b:02x}" for b in key)
    if len(topic) > TOPIC_LENGTH_MAX:
        raise InvalidSessionId(
            f"the session id is too long: its topic name would have {len(topic)} characters",
            next_step=f"Kafka allows {TOPIC_LENGTH_MAX}; use a shorter id, or a hash of it",
        )
    return Placement(topic=topic, key=key, append_partition=OWN_PARTITION)


def place_in(topic: str, session_id: str) -> Placement:
    """The placement of one session of many in a shared topic: its records are those with its key."""
    key = _encoded(_exact(session_id))
    if not is_legal_topic(topic):
        raise InvalidSessionId(f"the topic is no legal topic name: {shown(topic)}")
    if topic in KAFKA_TOPICS:
        raise InvalidSessionId(f"the topic is Kafka's own: {topic}")
    return Placement(topic=topic, key=key, key_filter=key)


def session_id_of(topic: str) -> str | None:
    """The session whose topic this is, or None where `place` gives that name to no session."""
    if not is_legal_topic(topic):
        return None
    if not topic.startswith(ESCAPE_MARK):
        return None if topic in KAFKA_TOPICS else topic
    body = topic.removeprefix(ESCAPE_MARK)
    if not _ESCAPED.fullmatch(body):
        return None
    raw = re.sub(rb"-([0-9a-f]{2})", lambda m: bytes.fromhex(m[1].decode()), body.encode())
    try:
        session_id = raw.decode()
    except UnicodeDecodeError:
        return None
    return session_id if place(session_id).topic == topic else None


def is_legal_topic(name: str) -> bool:
    """Whether Kafka takes this name for a topic (`Topic.validate`)."""
    return is_legal_name(name)


def _is_own_name(session_id: str) -> bool:
    reserved = session_id.startswith(ESCAPE_MARK) or session_id in KAFKA_TOPICS
    return is_legal_topic(session_id) and not reserved


def _exact(session_id: str) -> str:
    """The characters of the id alone: a subclass of str may say something else of itself, its bytes say."""
    if not isinstance(session_id, str):
        raise InvalidSessionId(
            f"a session id is a string, not {type(session_id).__name__}", next_step="convert it first"
        )
    return str.__str__(session_id)


def _encoded(session_id: str) -> bytes:
    if not session_id:
        raise InvalidSessionId("the session id is empty", next_step="give every conversation a name")
    try:
        return session_id.encode()
    except UnicodeEncodeError as error:
        raise InvalidSessionId(
            f"the session id is not valid Unicode: a lone surrogate at {error.start}",
            next_step="decode it with the right encoding first",
        ) from None
