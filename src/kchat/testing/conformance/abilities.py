"""What a broker can do, told to the suite by whoever runs it."""

import pytest
from attrs import fields, frozen


@frozen(kw_only=True)
class Abilities:
    """Abilities that not every broker has. Where one is missing, the log must say so, typed and at once.

    Args:
        chooses_partitions: a topic is created with the settings that were asked for. Without, the broker
            decides; the suite then needs at least three partitions of it.
        truncates_topics: TruncateTopic empties. Without, it fails with `ErrorKind.UNSUPPORTED`.
        lists_cursors: ListCursors and RemoveCursor work. Without, they fail with `ErrorKind.UNSUPPORTED`.
        deletes_topics: RemoveTopic deletes. Without, it fails with `ErrorKind.UNSUPPORTED`.
        finds_times: it tells the first offset of a time. Without, reads by time give the same and fetch more,
            and a cursor is not moved to a time: that fails with `ErrorKind.UNSUPPORTED`.
    """

    chooses_partitions: bool = True
    deletes_topics: bool = True
    truncates_topics: bool = True
    lists_cursors: bool = True
    finds_times: bool = True

    def need(self, name: str) -> None:
        """Skip the running test, in words, unless the broker has this ability."""
        if name not in {ability.name for ability in fields(Abilities)}:
            raise AssertionError(f"no such ability: {name}")
        if not getattr(self, name):
            pytest.skip(f"this broker lacks the ability {name}")
