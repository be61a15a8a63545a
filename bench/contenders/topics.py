"""Makes topics that nobody has appended to."""

import time

from confluent_kafka.admin import AdminClient, NewTopic

SECONDS_MAX = 60.0
LOOK_SECONDS = 0.02
PARTITIONS = 3
"""As many as kchat makes where it is not told otherwise."""


def create_topics(bootstrap: str, topics: list[str], partitions: int = PARTITIONS) -> None:
    """Create topics, and wait until they have leaders."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    wanted = [NewTopic(topic, partitions, 1) for topic in topics]
    for future in admin.create_topics(
        wanted, operation_timeout=SECONDS_MAX, request_timeout=SECONDS_MAX
    ).values():
        future.result(SECONDS_MAX)
    end = time.monotonic() + SECONDS_MAX
    while not all(_is_led(admin, topic, partitions) for topic in topics):
        if time.monotonic() > end:
            raise TimeoutError(f"no leader for {topics[0]} and others")
        time.sleep(LOOK_SECONDS)


def _is_led(admin: AdminClient, topic: str, partitions: int) -> bool:
    found = admin.list_topics(topic, SECONDS_MAX).topics[topic]
    return len([p for p in found.partitions.values() if p.leader >= 0]) == partitions
