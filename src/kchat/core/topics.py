"""Settings of a topic at its creation."""

from attrs import field, frozen

from kchat.core.checks import whole_number

TTL_MS_DEFAULT = 604_800_000
"""Seven days, Kafka's own default of `retention.ms` and the default of the class that kchat succeeds."""


@frozen(kw_only=True)
class TopicSettings:
    """What a topic is created with; a topic that exists already is left as it is.

    Args:
        partitions: number of partitions, 1 or more.
        replication_factor: number of replicas, 1 or more, at most the number of brokers.
        ttl_ms: topic setting `retention.ms`; -1 keeps for ever. Kafka drops whole segments, counted from
            their newest record (https://kafka.apache.org/documentation/#topicconfigs_retention.ms).
    """

    partitions: int = field(default=3, validator=whole_number(1, maximum=(1 << 31) - 1))
    replication_factor: int = field(default=1, validator=whole_number(1, maximum=(1 << 15) - 1))
    ttl_ms: int = field(default=TTL_MS_DEFAULT, validator=whole_number(-1, maximum=(1 << 63) - 1))
