"""The campaign: kchat under faults on a real Kafka, with figures (`make proof`, docs/reliability.md)."""
