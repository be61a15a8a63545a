"""Decodes mutated records in a child process: a hostile one might end it."""

import json
import random
import sys
import time

from hypothesis import HealthCheck, Phase, given, seed, settings
from langchain_core.messages import BaseMessage

from kchat.core import Corrupt, JsonDecoder, Message, NewRecord, Record, encode
from kchat.langchain import LangChainDecoder
from kchat.testing.strategies import messages
from tests.core.golden import HERE, Golden
from tests.proof.mutating import mutated

SECONDS_PER_KB_MAX = 0.010
KB = 1024

DRAWN = 200
"""How many generated messages are mutated, beside the golden records."""

GOLDEN = tuple(Golden.load(path).fetched for path in sorted(HERE.glob("*.json")))


def generated() -> tuple[Record, ...]:
    """Records of drawn messages, always the same ones."""
    drawn: list[Record] = []

    @seed(0)
    @settings(
        max_examples=DRAWN,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(messages())
    def draw(message: Message) -> None:
        record = encode(message, key=b"key", message_id="drawn")
        if isinstance(record, NewRecord):
            drawn.append(Record(0, 0, 0, record.key, record.value, record.headers))

    draw()
    return tuple(drawn)


SEEDS = GOLDEN + generated()


def decode_many(random_seed: int, count: int) -> None:
    """Mutate and decode, and print what was found; failing records as literals."""
    draw, core_decoder, decoder = random.Random(random_seed), JsonDecoder(), LangChainDecoder()
    corrupt, failures, worst = 0, list[str](), (0.0, 0, "")
    for _ in range(count):
        record = mutated(draw.choice(SEEDS), SEEDS, draw)
        begun = time.perf_counter()
        try:
            neutral = core_decoder.decode(record)
            gave = decoder.decode(record)
        except BaseException as error:
            failures.append(f"{type(error).__name__}: {error} from {literal(record)}")
            continue
        seconds = time.perf_counter() - begun
        corrupt += isinstance(gave, Corrupt)
        fault = wrong_kind(record, neutral, gave)
        if fault:
            failures.append(f"{fault} from {literal(record)}")
        kb = max(1.0, size(record) / KB)
        if seconds / kb > worst[0]:
            # Twice and thrice: a machine that does something else for a moment is not the decoder.
            seconds = min(seconds, *(again(decoder, record) for _ in range(3)))
        if seconds > SECONDS_PER_KB_MAX * kb:
            failures.append(f"{1000 * seconds:.1f} ms for {size(record)} bytes: {literal(record)}")
        if seconds / kb > worst[0]:
            worst = (seconds / kb, size(record), str(type(gave).__name__))
    report = {"count": count, "corrupt": corrupt, "failures": failures[:5], "worst": worst}
    sys.stdout.write(json.dumps(report) + "\n")


def size(record: Record) -> int:
    headers = sum(len(name) + len(value or b"") for name, value in record.headers)
    return len(record.value or b"") + headers


def again(decoder: LangChainDecoder, record: Record) -> float:
    begun = time.perf_counter()
    decoder.decode(record)
    return time.perf_counter() - begun


def wrong_kind(record: Record, neutral: object, message: object) -> str:
    """What the two decoders must not give."""
    for corrupt in (neutral, message):
        if isinstance(corrupt, Corrupt):
            if (corrupt.partition, corrupt.offset) != (record.partition, record.offset):
                return f"it names {corrupt.partition}, {corrupt.offset}"
            if not corrupt.reason.isascii() or len(corrupt.reason) > 200:
                return "its reason is no sentence"
    # The reasons may differ: how deep JSON may nest depends on how deep the caller is.
    if isinstance(neutral, Corrupt) and not isinstance(message, Corrupt):
        return "LangChain's decoder gave a message where the core's gave none"
    if not isinstance(neutral, Corrupt | Message) or not isinstance(message, Corrupt | BaseMessage):
        return f"a {type(neutral).__name__} and a {type(message).__name__}"
    return ""


def literal(record: Record) -> str:
    """What makes the record again."""
    return (
        f"Record({record.partition}, {record.offset}, {record.timestamp_ms}, {record.key!r},"
        f" {record.value!r}, {record.headers!r})"
    )
