"""What a broker can do, told by whoever starts it: asking a broker that cannot only times out."""

from attrs import frozen


@frozen(kw_only=True)
class Capabilities:
    """Operations that not every broker has.

    Args:
        create_topics: CreateTopics and DeleteTopics. Without, a topic is created by asking for it by name.
        delete_records: DeleteRecords. Without, a topic is not truncated.
        groups: ListGroups and DeleteGroups. Without, cursors are neither listed nor deleted.
        times: ListOffsets finds the first record of a time. Without, a read by time looks at all records.
        topic_ids: DescribeTopicPartitions gives an id that tells a topic from a later one of its name.
    """

    create_topics: bool = True
    delete_records: bool = True
    groups: bool = True
    times: bool = True
    topic_ids: bool = True


APACHE_KAFKA = Capabilities()
"""Apache Kafka, and whatever speaks its whole protocol."""

MOCK_CLUSTER = Capabilities(
    create_topics=False, delete_records=False, groups=False, times=False, topic_ids=False
)
"""librdkafka's mock cluster: it has no controller, so admin requests time out (measured on 2.16)."""
