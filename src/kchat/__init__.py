"""Chat conversations kept in Apache Kafka, in order, without losing one.

- `kchat.core`: the pure core; needs attrs alone.
- `kchat.testing`: a Kafka in memory for unit tests; needs no more.
- `kchat.io`: the core on confluent-kafka (the extra `kchat[kafka]`).
- `kchat.langchain`: LangChain's chat message history (the extra `kchat[langchain]`).
- `kchat.cli`: the `kchat` command (the extra `kchat[cli]`).
"""

__version__ = "0.1.0"

__all__ = ["__version__"]
