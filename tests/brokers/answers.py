"""Answers that a broker might have given: for a proxy that gives them in its place.

Produce, versions 9 to 12 (https://kafka.apache.org/protocol.html#The_Messages_Produce), one partition.
"""

NOT_LEADER_OR_FOLLOWER = 6


def not_leader(request: bytes) -> bytes:
    """The answer "I do not lead this partition" to a Produce request; both with their lengths before them."""
    version = int.from_bytes(request[6:8], "big")
    if not 9 <= version <= 12:
        raise ValueError(f"Produce of version {version} is not known here")
    correlation = request[8:12]
    client_bytes = int.from_bytes(request[12:14], "big", signed=True)
    at = 14 + max(0, client_bytes) + 1  # no tagged fields in the header
    at += 1 + 2 + 4  # no transactional id; acks; timeout
    at, topics = _varint(request, at)
    begin = at
    at, name_bytes = _varint(request, at)
    at += name_bytes - 1
    name = request[begin:at]
    at, partitions = _varint(request, at)
    if (topics, partitions) != (2, 2):
        raise ValueError("more than one partition in a Produce request")
    none = (-1).to_bytes(8, "big", signed=True)
    partition = request[at : at + 4] + NOT_LEADER_OR_FOLLOWER.to_bytes(2, "big") + none * 3 + b"\x01\x00\x00"
    body = b"\x02" + name + b"\x02" + partition + b"\x00" + bytes(4) + b"\x00"
    answer = correlation + b"\x00" + body
    return len(answer).to_bytes(4, "big") + answer


def _varint(frame: bytes, at: int) -> tuple[int, int]:
    """Where it ends, and its value."""
    found = shift = 0
    while True:
        byte = frame[at]
        at += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return at, found
        shift += 7
