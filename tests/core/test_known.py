"""What is known of removals, as a value; and which bytes may be a marker."""

import json

from hypothesis import given
from hypothesis import strategies as st

from kchat.core import Corrupt, JsonDecoder, Position, Record, Removals
from kchat.core.known import NOTHING_KNOWN, STRETCHES_MAX, Known, Stretch
from kchat.core.known_removals import may_be_marker
from kchat.core.wire import is_removal


def stretch(begin: int, end: int) -> Stretch:
    return Stretch((Position(0, begin),), (Position(0, end),))


def seen(known: Known, begin: int, end: int, *, to_end: bool = False) -> Known:
    return known.seen("A", stretch(begin, end), Removals((("x", (0, 0, end)),)), to_end=to_end)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 6)), max_size=8))
def test_what_is_known_was_seen(looks: list[tuple[int, int]]) -> None:
    known, offsets = NOTHING_KNOWN, set[int]()
    for begin, length in looks:
        known = seen(known, begin, begin + length)
        offsets |= set(range(begin, begin + length))
    covered = [range(s.begin[0].offset, s.end[0].offset) for s in known.stretches]
    assert all(set(each) <= offsets for each in covered)
    assert len(covered) <= STRETCHES_MAX
    if looks:
        begin, length = looks[-1]
        assert any(each.start <= begin and begin + length <= each.stop for each in covered)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=2))
def test_two_partitions_are_joined_only_where_both_meet(begins: list[tuple[int, int]]) -> None:
    one, other = (
        Stretch((Position(0, a), Position(1, b)), (Position(0, a + 3), Position(1, b + 3))) for a, b in begins
    )
    joined = one.joined(other)
    meet = all(abs(begins[0][p] - begins[1][p]) <= 3 for p in (0, 1))
    assert (joined is not None) == meet


def test_of_a_log_that_was_cut_nothing_is_kept() -> None:
    before = seen(seen(NOTHING_KNOWN, 0, 3), 50, 90)
    after = seen(before, 0, 60, to_end=True)
    assert after.stretches == (stretch(0, 60),)
    assert after.removals == Removals((("x", (0, 0, 60)),))
    assert seen(before, 0, 60).stretches == (stretch(0, 90),), "a look that its time ended has seen no end"


LETTERS = st.tuples(*(st.sampled_from([c, f"\\u{ord(c):04x}", f"\\u{ord(c):04X}"]) for c in "remove"))
SPACE = st.sampled_from(["", " ", "\n\t"])


@given(LETTERS, SPACE, st.booleans())
def test_no_spelling_of_a_marker_is_passed_over(letters: tuple[str, ...], space: str, ahead: bool) -> None:
    kind, data = f'"type"{space}:{space}"{"".join(letters)}"', '"data": {"content": "", "id": "1"}'
    value = ("{" + ", ".join([kind, data] if ahead else [data, kind]) + "}").encode()
    message = JsonDecoder().decode(Record(0, 0, 0, None, value, ()))
    assert not isinstance(message, Corrupt)
    assert is_removal(message)
    assert may_be_marker(value)


@given(st.text())
def test_text_in_any_language_is_no_reason_to_decode(text: str) -> None:
    value = json.dumps({"type": "human", "data": {"content": text}}).encode()
    assert not may_be_marker(value) or "remove" in text or "\x7f" in text or "\\u00" in text
