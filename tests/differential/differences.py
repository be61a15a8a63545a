"""In what an answer of the fake broker may differ from a real one's: the whole list, and the comparison.

Whatever is not named here must be equal. A difference is named only where the fake cannot know better; where
it could, it is mended.
"""

from typing import Any

import attrs

LEFT_OUT = {
    "at_ms": "the fake's clock is virtual",
    "timestamp_ms": "the fake's clock is virtual; the order of timestamps shows in the order of a read",
    "reason": "a sentence for people: the broker's, the client's or the fake's own",
    "created": "a creation that was answered after its command's time counts as another program's",
    "deleted": "the same of a deletion",
    "BrokerError.partition": "a client tells it for fetches alone, and of several the one that it met first",
}
"""Fields that are not compared, by their name or by `Class.name`, and why."""

KAFKAS_NAME = {
    "_AUTO_OFFSET_RESET": "OFFSET_OUT_OF_RANGE",
    "_UNKNOWN_PARTITION": "UNKNOWN_TOPIC_OR_PART",
    "_UNKNOWN_TOPIC": "UNKNOWN_TOPIC_OR_PART",
}
"""Errors that librdkafka tells by a name of its own, depending on who noticed first: it or the broker."""

WHOLE_ANSWERS = (
    "a passing error is asked again, as the machines do: the fake has none by itself",
    "a fetch may bring less than there is, and what it brings before an error may be all or nothing: fetches "
    "are repeated to the end, and compared as a whole",
    'a consumer may tell an "out of range" of the read before once more: it is asked again, as a read does',
    "a report may come after its command: it is waited for",
    "an append is sent again where the machine would: a client that remembers a deletion refuses a new topic "
    "of that name, and it gives up records by itself when a topic vanishes under them",
    "where a record without a key goes is the client's choice: the fake is told",
    "a new topic, and a deletion, may take some milliseconds to be seen: they are waited for",
)
"""What `tests.differential.pair` does so that two answers can be compared at all."""


class Comparable:
    """Makes values of one side comparable with the other's. Topic ids become numbers, as they appear."""

    def __init__(self) -> None:
        self._topic_ids: dict[str, int] = {}

    def __call__(self, value: Any) -> Any:
        """The value in plain types, without what may differ."""
        if attrs.has(type(value)):
            kind = type(value).__name__
            names = [field.name for field in attrs.fields(type(value))]
            kept = {name: name for name in names if not {name, f"{kind}.{name}"} & LEFT_OUT.keys()}
            return kind, {name: self._field(name, getattr(value, name)) for name in kept}
        if isinstance(value, dict):
            return {key: self(item) for key, item in value.items()}
        if isinstance(value, tuple):
            return tuple(self(item) for item in value)
        return value

    def _field(self, name: str, value: Any) -> Any:
        if name == "topic_id" and value is not None:
            return self._topic_ids.setdefault(value, len(self._topic_ids))
        return KAFKAS_NAME.get(value, value) if name == "code" else self(value)
