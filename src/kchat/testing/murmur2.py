"""The hash by which Kafka's Java client, and librdkafka's `murmur2_random`, choose a key's partition."""

_MULTIPLIER, _SHIFT, _SEED = 0x5BD1E995, 24, 0x9747B28C
_WORD = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """32 bits, unsigned (source: `org.apache.kafka.common.utils.Utils.murmur2`, signed there)."""
    mixed = _SEED ^ len(key)
    whole = len(key) & ~3
    for begin in range(0, whole, 4):
        word = int.from_bytes(key[begin : begin + 4], "little") * _MULTIPLIER & _WORD
        word = (word ^ word >> _SHIFT) * _MULTIPLIER & _WORD
        mixed = mixed * _MULTIPLIER & _WORD ^ word
    if len(key) > whole:
        mixed = (mixed ^ int.from_bytes(key[whole:], "little")) * _MULTIPLIER & _WORD
    mixed = (mixed ^ mixed >> 13) * _MULTIPLIER & _WORD
    return mixed ^ mixed >> 15
