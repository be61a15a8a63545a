"""Bugs that the pure tests must notice: a text in the core, what a tired hand makes of it, what that breaks.

A new rule of the core deserves a bug here. `old` must occur exactly once in its file.
"""

from attrs import frozen


@frozen(kw_only=True)
class Bug:
    """One bug. `tests` are the files under tests/core that should notice; `promise` is of docs and README."""

    name: str
    promise: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


READS = ("test_reading_safety.py",)
APPENDS = ("test_appending_safety.py",)

BUGS = (
    Bug(
        name="a record at the end is read along",
        promise="P4 reads end where the log ended",
        file="lanes.py",
        old="if beyond_end or record.offset < lane.end:",
        new="if beyond_end or record.offset <= lane.end:",
        tests=("test_lanes.py", *READS),
    ),
    Bug(
        name="the last record before the end is left out",
        promise="P4 reads end where the log ended",
        file="lanes.py",
        old="return self.position >= self.end",
        new="return self.position >= self.end - 1",
        tests=READS,
    ),
    Bug(
        name="neighbours of a corrupt record are dropped",
        promise="P7 neighbours of poison are never lost",
        file="handing.py",
        old="rest = _put_back(rest, records[index:])",
        new="rest = _put_back(rest, records[index : index + 1])",
        tests=("test_handing.py", *READS),
    ),
    Bug(
        name="the merge ignores the third partition",
        promise="P1 one order",
        file="merging.py",
        old="open_ones = [p for p in buffers if used[p] < len(buffers[p])]",
        new="open_ones = [p for p in list(buffers)[:2] if used[p] < len(buffers[p])]",
        tests=READS,
    ),
    Bug(
        name="the merge does not wait for a partition that is still empty",
        promise="P1 one order",
        file="merging.py",
        old="if not open_ones or (len(open_ones) < len(buffers) and not all_known):",
        new="if not open_ones:",
        tests=("test_merging.py", *READS),
    ),
    Bug(
        name="positions count what was fetched",
        promise="P5 the cursor moves over what was handed out",
        file="lanes.py",
        old="self.buffer[0].offset if self.buffer else self.position)",
        new="self.position)",
        tests=READS,
    ),
    Bug(
        name="the commit goes past what was handed out",
        promise="P5 the cursor moves over what was handed out",
        file="committing.py",
        old="CommittedOffset(lane.partition, lane.resume_position.offset, memory.to_metadata())",
        new="CommittedOffset(lane.partition, lane.fetch_position.offset, memory.to_metadata())",
        tests=READS,
    ),
    Bug(
        name="a failed read moves the cursor",
        promise="P5 a failed read leaves the cursor",
        file="reading.py",
        old="        return Finished(Failed(state.progress, stopped))",
        new="        return _ended(state, Partial(state.progress, Limit.COUNT))",
        tests=READS,
    ),
    Bug(
        name="second copies within one fetch are handed out",
        promise="P2 resending is safe",
        file="handing.py",
        old="case Delivery(message_id=str(known)) if known in ids:",
        new="case Delivery(message_id=str(known)) if known in counted.ids:",
        tests=READS,
    ),
    Bug(
        name="a cursor of a deleted topic is believed",
        promise="P5 the cursor belongs to its topic",
        file="lanes.py",
        old="memory.topic_id is not None and topic_id is not None and memory.topic_id != topic_id",
        new="memory.topic_id is not None and memory.topic_id != memory.topic_id",
        tests=READS,
    ),
    Bug(
        name="a cursor forgets the ids before it",
        promise="P2 resending is safe",
        file="committing.py",
        old="evolve(lane.remembered, topic_id=state.topic_id).followed_by(ids, state.counted.resent)",
        new="evolve(lane.remembered, topic_id=state.topic_id, ids=(), resent=())",
        tests=("test_cursors.py",),
    ),
    Bug(
        name="a cursor keeps the ids of resent records no longer than others",
        promise="P2 resending is safe, also where the first copy comes late",
        file="committing.py",
        old=".followed_by(ids, state.counted.resent)",
        new=".followed_by(ids)",
        tests=("test_looking_back.py",),
    ),
    Bug(
        name="a resent record is handed out without looking for its first copy",
        promise="P2 resending is safe, however far the copies are apart",
        file="handing.py",
        old="known in self.looked_for or not any(lane.begin for lane in lanes)",
        new="known in self.looked_for or bool(lanes)",
        tests=("test_looking_back.py", *READS),
    ),
    Bug(
        name="another session's record passes for a first copy",
        promise="P2 no silent loss",
        file="handing.py",
        old="if known not in wanted or not isinstance(_judge(request, record), Delivery):",
        new="if known not in wanted:",
        tests=("test_looking_back.py", *READS),
    ),
    Bug(
        name="resent records are not marked",
        promise="P2 resending is safe, however far the copies are apart",
        file="appending.py",
        old="tuple(record.resent() for record in rest) if self.uncertain else rest",
        new="rest",
        tests=("test_appending.py",),
    ),
    Bug(
        name="a false low watermark is believed",
        promise="P2 no silent loss",
        file="lanes.py",
        old="low = w.low if w.low < w.high else 0",
        new="low = w.low",
        tests=READS,
    ),
    Bug(
        name="another session's records are handed out",
        promise="P9 never another session's messages",
        file="handing.py",
        old="if request.key is not None and record.key != request.key:",
        new="if request.key is not None and record.key is None:",
        tests=("test_handing.py", *READS),
    ),
    Bug(
        name="a follower ends at the end",
        promise="P4 the outcome says why a read ended",
        file="reading.py",
        old="if not request.follow and all(lane.drained for lane in lanes):",
        new="if all(lane.drained for lane in lanes):",
        tests=READS,
    ),
    Bug(
        name="the time limit is ignored",
        promise="P8 every call ends within its limit",
        file="budget.py",
        old="return self.now_ms >= self.end_ms",
        new="return self.now_ms >= self.end_ms + 2_000",
        tests=("test_budget.py", *READS),
    ),
    Bug(
        name="a named position that retention passed is replaced by another",
        promise="P6 the same read gives the same",
        file="lanes.py",
        old="elif lane.partition in named:",
        new="elif lane.partition in named and w.low == w.high:",
        tests=("test_reading_failures.py",),
    ),
    Bug(
        name="refused, where an earlier attempt may have stored",
        promise="P2 refused means that nothing is stored",
        file="appending.py",
        old="if attempt.uncertain or attempt.places else Refused(error)",
        new="if attempt.places else Refused(error)",
        tests=APPENDS,
    ),
    Bug(
        name="a time-out counts as refused",
        promise="P2 refused means that nothing is stored",
        file="failures.py",
        old="{ErrorKind.UNKNOWN_TOPIC, ErrorKind.DENIED,",
        new="{ErrorKind.UNKNOWN_TOPIC, ErrorKind.TIMED_OUT, ErrorKind.WITHDRAWN, ErrorKind.DENIED,",
        tests=APPENDS,
    ),
    Bug(
        name="the withdrawal is skipped",
        promise="P2 nothing surfaces after the call",
        file="appending.py",
        old="return Withdrawing(attempt, attempt.budget.trouble or NOT_ACKNOWLEDGED)",
        new="return Finished(_unknown(attempt, attempt.budget.trouble or NOT_ACKNOWLEDGED))",
        tests=APPENDS,
    ),
    Bug(
        name="refused, although a record has no last word",
        promise="P2 refused means that nothing is stored",
        file="appending.py",
        old="    last_words = None not in event.reports",
        new="    last_words = True",
        tests=("test_appending.py", *APPENDS),
    ),
    Bug(
        name="appended, although the last record has no report",
        promise="P2 every record is acknowledged",
        file="appending.py",
        old="    if None not in event.reports:",
        new="    if None not in event.reports[:-1]:",
        tests=APPENDS,
    ),
    Bug(
        name="an earlier record is sent after a later one is stored",
        promise="P1 in the order of appending",
        file="appending.py",
        old="    if len(errors) < len(rest):",
        new="    if len(errors) < len(rest) - 1:",
        tests=("test_appending.py",),
    ),
    Bug(
        name="the escape is not injective",
        promise="P9 never another session's messages",
        file="placement.py",
        old='ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.")',
        new='ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")',
        tests=("test_placement.py",),
    ),
    Bug(
        name="NaN is accepted",
        promise="P3 what would not read back is refused",
        file="json_values.py",
        old="return None if math.isfinite(item) else",
        new="return None if not math.isinf(item) else",
        tests=("test_json_values.py", "test_codec.py"),
    ),
    Bug(
        name="only the first message of a call is checked for its size",
        promise="P3 checked before anything is sent",
        file="edge.py",
        old="if record.size_bytes_max > record_bytes_max:",
        new="if record.size_bytes_max > record_bytes_max and not index:",
        tests=("test_edge.py",),
    ),
    Bug(
        name="the reason of a corrupt record quotes it",
        promise="P10 no content in an error",
        file="codec.py",
        old='f"type is a JSON {type(value).__name__}, not a string"',
        new='f"type is {value!r}, not a string"',
        tests=("test_codec.py",),
    ),
    Bug(
        name="a record prints its value",
        promise="P10 no content in a repr",
        file="log.py",
        old="    value: bytes = field(repr=_length)",
        new="    value: bytes = field()",
        tests=("test_states.py", "test_errors.py"),
    ),
)
