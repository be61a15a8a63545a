"""LangChain's history class on the fake broker, against a dict of lists."""

import pytest
from attrs import define, field
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from kchat.core import (
    AppendRefused,
    AppendUnknown,
    CorruptRecord,
    ErrorKind,
    InvalidMessage,
    ReadFailed,
    place,
)
from kchat.langchain import KafkaChatMessageHistory
from kchat.testing import (
    Delay,
    FakeBroker,
    FalseLow,
    Fault,
    LostAnswer,
    NoAnswer,
    PartlyStored,
    Refuse,
    ShortFetch,
    TakenAlong,
)

SESSIONS = st.sampled_from(["plain", "with space"])
COUNTS = st.integers(0, 6)

HARMLESS: st.SearchStrategy[Fault] = st.one_of(
    st.builds(Delay, st.integers(1, 50)),
    st.just(NoAnswer()),
    st.builds(Refuse, st.just(ErrorKind.TRANSIENT)),
    st.builds(ShortFetch, st.integers(1, 2)),
    st.just(FalseLow()),
)
UNCERTAIN: st.SearchStrategy[Fault] = st.one_of(
    st.just(LostAnswer()),
    st.builds(PartlyStored, st.integers(0, 3)),
    st.builds(TakenAlong, st.integers(0, 3)),
)


@define
class Model:
    """One session: its messages, None for a record that is none, and the place that is remembered."""

    messages: list[BaseMessage | None] = field(factory=list)
    place: int = 0

    def page(self, begin: int, count: int) -> tuple[list[BaseMessage], int]:
        """Messages from a place on, and where to go on."""
        found: list[BaseMessage] = []
        for offset in range(begin, len(self.messages)):
            if len(found) == count:
                return found, offset
            message = self.messages[offset]
            if message is not None:
                found.append(message)
        return found, len(self.messages)


class HistoryMachine(RuleBasedStateMachine):
    """The rules are the members of the class, on sessions of one broker that share its faults."""

    def __init__(self) -> None:
        super().__init__()
        self.broker = FakeBroker()
        self.models: dict[str, Model] = {"plain": Model(), "with space": Model()}
        self.said = 0

    def history(self, session: str, *, replay: bool = False) -> KafkaChatMessageHistory:
        return KafkaChatMessageHistory(
            session, "unused:9092", partition=1, replay=replay, on_corrupt="skip", log=self.broker
        )

    def new_messages(self, count: int) -> list[BaseMessage]:
        self.said += count
        return [
            (HumanMessage if n % 2 else AIMessage)(f"message {n}")
            for n in range(self.said - count, self.said)
        ]

    @rule(session=SESSIONS, count=st.integers(0, 5))
    def add(self, session: str, count: int) -> None:
        messages = self.new_messages(count)
        self.history(session).add_messages(messages)
        self.models[session].messages += messages

    @rule(session=SESSIONS, bad=st.integers(0, 9))
    def add_ten_of_which_one_is_bad(self, session: str, bad: int) -> None:
        messages = self.new_messages(10)
        messages[bad] = HumanMessage("bad", additional_kwargs={"score": float("inf")})
        with pytest.raises(InvalidMessage) as refused:
            self.history(session).add_messages(messages)
        assert refused.value.index == bad

    @rule(session=SESSIONS, kind=st.sampled_from([ErrorKind.DENIED, ErrorKind.REJECTED]))
    def add_and_be_refused(self, session: str, kind: ErrorKind) -> None:
        self.broker.plan = [Refuse(kind)]
        with pytest.raises(AppendRefused):
            self.history(session).add_messages(self.new_messages(2))

    @rule(session=SESSIONS, count=st.integers(1, 4), at=st.integers(0, 4), fault=UNCERTAIN)
    def add_and_resend_what_is_unknown(self, session: str, count: int, at: int, fault: Fault) -> None:
        messages, history, model = self.new_messages(count), self.history(session), self.models[session]
        self.broker.plan = [*[None] * at, fault]
        try:
            history.add_messages(messages)
        except AppendUnknown as unknown:
            self.broker.plan = []
            history.resend(unknown)
        self.broker.plan = []
        model.messages += messages

    @rule(session=SESSIONS)
    def read_messages(self, session: str) -> None:
        self._goes_on(session, self.history(session).messages, 5)

    @rule(session=SESSIONS, count=COUNTS)
    def read_from_last_consumed(self, session: str, count: int) -> None:
        self._goes_on(session, self.history(session).messages_from_last_consumed(count), count)

    @rule(session=SESSIONS, count=st.integers(1, 6))
    def read_from_the_beginning(self, session: str, count: int) -> None:
        model = self.models[session]
        expected, model.place = model.page(0, count)
        assert self.history(session).messages_from_beginning(count) == expected

    @rule(session=SESSIONS)
    def read_from_latest(self, session: str) -> None:
        assert self.history(session).messages_from_latest(max_time_sec=0.1) == []
        self._stand_at_the_end(session)

    @rule(session=SESSIONS, count=st.integers(1, 3))
    def read_from_latest_while_another_adds(self, session: str, count: int) -> None:
        self.add(session, 1)
        messages, other = self.new_messages(3), self.broker.reopened()
        writer = KafkaChatMessageHistory(session, "unused:9092", log=other)
        cluster, model = self.broker.cluster, self.models[session]
        cluster.at(cluster.now_ms + 500, lambda: writer.add_messages(messages))
        new = self.history(session).messages_from_latest(max_message_count=count)
        assert new == messages[:count]
        model.place = len(model.messages) + count
        model.messages += messages

    @rule(session=SESSIONS, at=st.integers(0, 4), fault=HARMLESS)
    def read_under_a_harmless_fault(self, session: str, at: int, fault: Fault) -> None:
        self.broker.plan = [*[None] * at, fault]
        self._goes_on(session, self.history(session).messages, 5)
        self.broker.plan = []

    @rule(session=SESSIONS, at=st.integers(0, 3))
    def read_and_be_denied(self, session: str, at: int) -> None:
        self.broker.plan = [*[None] * at, Refuse(ErrorKind.DENIED)]
        try:
            read = self.history(session).messages
        except ReadFailed:
            self.broker.plan = []
        else:
            assert self.broker.plan, "the error was swallowed"
            self.broker.plan = []
            self._goes_on(session, read, 5)

    @rule(session=SESSIONS)
    def poison(self, session: str) -> None:
        topic = place(session).topic
        if topic in self.broker.cluster.topics:
            self.broker.cluster.inject(topic, b"poison")
            self.models[session].messages.append(None)

    @rule(session=SESSIONS)
    def read_strictly(self, session: str) -> None:
        model = self.models[session]
        strict = KafkaChatMessageHistory(session, "unused:9092", replay=True, log=self.broker)
        try:
            messages = strict.messages
        except CorruptRecord:
            assert None in model.messages
        else:
            assert messages == model.messages

    @rule(session=SESSIONS)
    def clear(self, session: str) -> None:
        self.history(session).clear()
        self.models[session] = Model()

    @rule()
    def reopen(self) -> None:
        old, self.broker = self.broker, self.broker.reopened()
        old.close()

    @invariant()
    def replay_gives_the_whole_conversation(self) -> None:
        for session, model in self.models.items():
            assert self.history(session, replay=True).messages == model.page(0, 10**9)[0]

    def _goes_on(self, session: str, read: list[BaseMessage], count: int) -> None:
        model = self.models[session]
        expected, after = model.page(model.place, count)
        assert read == expected
        if count:
            model.place = after

    def _stand_at_the_end(self, session: str) -> None:
        self.models[session].place = len(self.models[session].messages)


TestHistoryMachine = HistoryMachine.TestCase
TestHistoryMachine.settings = settings(stateful_step_count=40)
