"""Chat conversations in Apache Kafka."""
