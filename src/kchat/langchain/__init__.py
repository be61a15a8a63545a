"""LangChain's chat message history on kchat. The only package that imports langchain_core."""

from kchat.langchain.history import (
    DEFAULT_PARTITION,
    DEFAULT_REPLICATION_FACTOR,
    DEFAULT_TTL_MS,
    KafkaChatMessageHistory,
)
from kchat.langchain.messages import MESSAGE_CLASSES, LangChainDecoder

__all__ = [
    "DEFAULT_PARTITION",
    "DEFAULT_REPLICATION_FACTOR",
    "DEFAULT_TTL_MS",
    "MESSAGE_CLASSES",
    "KafkaChatMessageHistory",
    "LangChainDecoder",
]
