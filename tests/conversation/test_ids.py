"""Message ids: what a reader takes for one, and never the same one twice."""

from kchat.conversation.ids import new_message_id
from kchat.core.wire import MESSAGE_ID


def test_an_id_is_one_that_a_reader_knows_and_is_given_once() -> None:
    ids = [new_message_id() for _ in range(10_000)]
    assert len(set(ids)) == len(ids)
    assert all(len(one) == 32 and MESSAGE_ID.fullmatch(one.encode()) for one in ids)
