"""LangChain's chat message history on kchat. The only package that imports langchain_core."""

try:
    import langchain_core as _langchain_core  # noqa: F401
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError(
        "kchat.langchain needs langchain-core, which the extra kchat[langchain] brings"
    ) from _missing

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
