"""The core without Kafka: a shell of one's own, here over a Python list, in twenty lines.

A machine says which Kafka operation comes next (`pending`) and what its answer means (`advance`). Whatever
answers the operations is a shell: a Kafka client, a file, a list.
"""

import time

from kchat import core

log: list[core.Record] = []  # the whole "cluster": partition 0 of one topic


def now_ms() -> int:
    """The machines know no clock but the one in their events."""
    return time.monotonic_ns() // 1_000_000


def perform(command: core.Command) -> core.Event:
    """The shell: do what the machine asks for, and say what happened."""
    match command:
        case core.DescribeTopic():
            return core.TopicDescribed(at_ms=now_ms(), partitions=(0,))
        case core.Produce(records=records):
            begin = len(log)
            for new in records:
                log.append(core.Record(0, len(log), 0, new.key, new.value, new.headers))
            places = tuple(core.Acknowledged(0, offset) for offset in range(begin, len(log)))
            return core.Produced(at_ms=now_ms(), reports=places)
        case core.ListOffsets():
            return core.OffsetsListed(at_ms=now_ms(), watermarks=(core.Watermarks(0, 0, len(log)),))
        case core.Fetch(positions=(core.Position(offset=begin),), records_max=records_max):
            found = tuple(log[begin : begin + records_max])
            stands = core.Position(0, begin + len(found))
            return core.Fetched(at_ms=now_ms(), records=found, positions=(stands,))
        case _:
            raise NotImplementedError(f"this shell has no {type(command).__name__}")


def record(number: int, kind: str, text: str) -> core.NewRecord:
    """A message of the session as a record, ready to append."""
    encoded = core.encode(core.Message(kind, {"content": text}), key=b"session", message_id=str(number))
    assert isinstance(encoded, core.NewRecord)
    return encoded


def main() -> None:
    """Append two messages and read them back."""
    records = (record(1, "human", "Who needs Kafka?"), record(2, "ai", "Not this list."))
    append = core.AppendRequest(topic="session", records=records)
    print(core.run(core.appending, core.appending.start(append, now_ms()), perform))

    # What `run` does, step by step:
    read = core.ReadRequest(topic="session", start=core.FromBeginning(), decoder=core.JsonDecoder())
    state = core.reading.start(read, now_ms())
    while isinstance(todo := core.reading.pending(state), core.Command):
        print(f"{type(state).__name__:>14} asks for {type(todo).__name__}")
        state = core.reading.advance(state, perform(todo))
    print(f"{type(todo).__name__}: {[message.text for message in todo.progress.messages]}")


if __name__ == "__main__":
    main()
