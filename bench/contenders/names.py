"""What the contenders are called in tables and plots."""

KCHAT = "kchat"
KCHAT_CURSOR = "kchat, cursor"
OLD = "langchain_community's KafkaChatMessageHistory"
RAW = "raw client"
RAW_BATCHED = "raw client, offsets_for_times"
RAW_DECODED = "raw client + decode"
RAW_ENCODED = "raw client + encode"
REDIS = "RedisChatMessageHistory"
SQLITE = "SQLChatMessageHistory, SQLite"
POSTGRES = "SQLChatMessageHistory, PostgreSQL"
MEMORY = "InMemoryChatMessageHistory"

STORES = (REDIS, SQLITE, POSTGRES)
"""What a user would pick instead of Kafka."""
