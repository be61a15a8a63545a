"""What can go wrong at one command of a call: data that Hypothesis draws, prints and shrinks."""

from attrs import frozen

from kchat.core import ErrorKind


@frozen
class Delay:
    """The answer takes `delay_ms` longer."""

    delay_ms: int


@frozen
class NoAnswer:
    """The request is lost: nothing is done, and the command times out."""


@frozen
class LostAnswer:
    """The answer is lost: all is done, and the command times out. Records sent so stay unreported."""


@frozen
class Refuse:
    """The broker or the client answers with an error; nothing is done."""

    kind: ErrorKind
    code: str = "SIMULATED"


@frozen
class ShortFetch:
    """A fetch brings at most `records_max` records, and no proof of the end."""

    records_max: int


@frozen
class FalseLow:
    """The client reports the high watermark for the low one too, as it does while a leader changes."""


@frozen
class PartlyStored:
    """Of the records of one call the first `stored` are stored, and none is reported."""

    stored: int


@frozen
class TakenAlong:
    """A neighbour on the same producer withdraws: the first `stored` are stored, all are reported purged."""

    stored: int


@frozen
class Foreign:
    """Another program appends `records` records just before the command."""

    records: int


@frozen
class Expire:
    """Retention removes the first `records` offsets of every partition just before the command."""

    records: int


@frozen
class Gap:
    """A transaction marker or a compacted record: offsets without a record, just before the command."""

    offsets: int


@frozen
class Remove:
    """Another program deletes the topic just before the command."""


@frozen
class Recreate:
    """Another program deletes the topic and creates it again just before the command."""


Fault = (
    Delay
    | NoAnswer
    | LostAnswer
    | Refuse
    | ShortFetch
    | FalseLow
    | PartlyStored
    | TakenAlong
    | Foreign
    | Expire
    | Gap
    | Remove
    | Recreate
)
"""What can befall one command."""

FaultPlan = tuple[Fault | None, ...]
"""One for each command, in order; None and whatever is beyond the end: no fault."""
