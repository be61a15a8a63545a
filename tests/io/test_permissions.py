"""The least permissions for each job (docs/security.md) are enough, and without one the error names it."""

import time
import uuid
from collections.abc import Callable, Iterator

import pytest
from attrs import evolve, frozen
from confluent_kafka.admin import AclOperation, ResourceType  # documented, but not in its __all__
from langchain_core.messages import HumanMessage

from kchat.core import AppendRefused, KchatError, ReadFailed, TopicNotChanged
from kchat.langchain import KafkaChatMessageHistory
from tests.brokers.access import GROUP, TOPIC, Permission, granted, revoke
from tests.brokers.secured import GRANTEE, PLAINTEXT, SCRAM, SecuredKafka
from tests.io.conftest import Call

pytestmark = pytest.mark.kafka

LIMIT_SECONDS = 5.0
GRACE_SECONDS = 1.0

READ = AclOperation.READ
WRITE = AclOperation.WRITE
CREATE = AclOperation.CREATE
DELETE = AclOperation.DELETE
DESCRIBE = AclOperation.DESCRIBE

Grant = tuple[ResourceType, AclOperation]
Act = Callable[[Call, KafkaChatMessageHistory], object]


@frozen
class Session:
    """One session on the secured broker: a topic and a group of its own."""

    cluster: SecuredKafka
    name: str

    @property
    def bootstrap(self) -> str:
        """Where everybody may do everything."""
        return self.cluster.listeners[PLAINTEXT]

    def permissions(self, grants: tuple[Grant, ...]) -> list[Permission]:
        return [Permission(GRANTEE.name, resource, operation, self.name) for resource, operation in grants]

    def as_grantee(self, *, provision: bool = True, replay: bool = False) -> KafkaChatMessageHistory:
        config = self.cluster.client_config(SCRAM, user=GRANTEE)
        servers = config.pop("bootstrap.servers")
        return KafkaChatMessageHistory(self.name, servers, config=config, provision=provision, replay=replay)

    def as_administrator(self) -> KafkaChatMessageHistory:
        return KafkaChatMessageHistory(self.name, self.bootstrap, replay=True)


@pytest.fixture
def session(secured_kafka: SecuredKafka) -> Iterator[Session]:
    session = Session(secured_kafka, f"acl-{uuid.uuid4().hex}")
    yield session
    with session.as_administrator() as history:
        history.clear()


def add(call: Call, history: KafkaChatMessageHistory) -> object:
    return call(history, "add_messages", [HumanMessage("said")])


def read(call: Call, history: KafkaChatMessageHistory) -> object:
    return [message.content for message in call(history, "messages")]


def read_again(call: Call, history: KafkaChatMessageHistory) -> object:
    return [message.content for message in call(history, "messages_from_beginning")]


def read_next(call: Call, history: KafkaChatMessageHistory) -> object:
    return [message.content for message in call(history, "messages_from_last_consumed")]


def wait_for_more(call: Call, history: KafkaChatMessageHistory) -> object:
    return call(history, "messages_from_latest", 1, 3.0)


def create_and_clear(call: Call, history: KafkaChatMessageHistory) -> object:
    add(call, history)
    return call(history, "clear")


def clear(call: Call, history: KafkaChatMessageHistory) -> object:
    return call(history, "clear")


@frozen(kw_only=True)
class Job:
    """What somebody does with a session, and what they have to be allowed for it, no more."""

    grants: tuple[Grant, ...]
    act: Act
    gives: object = None
    begun: bool = True
    provision: bool = True
    replay: bool = False


JOBS = {
    "writer": Job(grants=((TOPIC, WRITE),), act=add),
    "writer without provision": Job(grants=((TOPIC, WRITE),), act=add, provision=False),
    "writer who creates": Job(grants=((TOPIC, WRITE), (TOPIC, CREATE)), act=add, begun=False),
    "reader by replay": Job(grants=((TOPIC, READ),), act=read, gives=["before"], replay=True),
    "reader from the cursor": Job(
        grants=((TOPIC, READ), (GROUP, READ)), act=read, gives=["before"], provision=False
    ),
    "reader from the beginning": Job(grants=((TOPIC, READ), (GROUP, READ)), act=read_again, gives=["before"]),
    "reader of what comes": Job(grants=((TOPIC, READ), (GROUP, READ)), act=wait_for_more, gives=[]),
    "administrator": Job(
        grants=((TOPIC, WRITE), (TOPIC, CREATE), (TOPIC, DELETE)), act=create_and_clear, begun=False
    ),
    "who clears": Job(grants=((TOPIC, DELETE),), act=clear),
}


def begin(session: Session, job: Job) -> None:
    if job.begun:
        with session.as_administrator() as history:
            history.add_user_message("before")


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_the_least_permissions_are_enough(session: Session, call: Call, job: Job) -> None:
    begin(session, job)
    with (
        granted(session.bootstrap, session.permissions(job.grants)),
        session.as_grantee(provision=job.provision, replay=job.replay) as history,
    ):
        assert job.act(call, history) == job.gives


LESS_ONE = {
    f"{name}, without {missing[1].name} on {missing[0].name}": evolve(
        job, grants=tuple(grant for grant in job.grants if grant != missing)
    )
    for name, job in JOBS.items()
    for missing in job.grants
}


@pytest.mark.parametrize("job", LESS_ONE.values(), ids=LESS_ONE)
def test_without_any_one_of_them_the_error_is_typed_and_names_a_permission(
    session: Session, call: Call, job: Job
) -> None:
    begin(session, job)
    with (
        granted(session.bootstrap, session.permissions(job.grants)),
        session.as_grantee(provision=job.provision, replay=job.replay) as history,
    ):
        denied(lambda: job.act(call, history), KchatError, "on (topic|group) 'acl-")


def denied(act: Callable[[], object], kind: type[KchatError], text: str) -> None:
    """Denied, every time and within the limit: the second answer is no empty history either."""
    for _ in range(2):
        began = time.monotonic()
        with pytest.raises(kind, match=text) as error:
            act()
        assert time.monotonic() - began < LIMIT_SECONDS + GRACE_SECONDS
        assert str(error.value.code).endswith("_AUTHORIZATION_FAILED")
        assert "have it granted" in error.value.next_step


@frozen(kw_only=True)
class Denial:
    """What somebody tries who has almost enough, and what they are told."""

    grants: tuple[Grant, ...]
    act: Act
    error: type[KchatError]
    needs: str
    provision: bool = True
    replay: bool = False


SEEN = (TOPIC, DESCRIBE)
DENIALS = {
    "append, topic unseen": Denial(grants=(), act=add, error=AppendRefused, needs="Describe on topic"),
    "append, no write at all": Denial(grants=(SEEN,), act=add, error=AppendRefused, needs="Write on topic"),
    "append, no write, no provision": Denial(
        grants=(), act=add, error=AppendRefused, needs="Write on topic", provision=False
    ),
    "append, read only": Denial(
        grants=((TOPIC, READ),), act=add, error=AppendRefused, needs="Write on topic"
    ),
    "replay, topic unseen": Denial(
        grants=(), act=read, error=ReadFailed, needs="Describe on topic", replay=True
    ),
    "replay, no read": Denial(grants=(SEEN,), act=read, error=ReadFailed, needs="Read on topic", replay=True),
    "replay, write only": Denial(
        grants=((TOPIC, WRITE),), act=read, error=ReadFailed, needs="Read on topic", replay=True
    ),
    "cursor, topic unseen": Denial(
        grants=((GROUP, READ),), act=read_next, error=ReadFailed, needs="Describe on topic"
    ),
    "cursor, no read": Denial(
        grants=(SEEN, (GROUP, READ)), act=read_next, error=ReadFailed, needs="Read on topic"
    ),
    "cursor, group unseen": Denial(
        grants=((TOPIC, READ),), act=read_next, error=ReadFailed, needs="Read on group"
    ),
    "cursor, group only seen": Denial(
        grants=((TOPIC, READ), (GROUP, DESCRIBE)), act=read_next, error=ReadFailed, needs="Read on group"
    ),
    "beginning, group unseen": Denial(
        grants=((TOPIC, READ),), act=read_again, error=ReadFailed, needs="Read on group"
    ),
    "latest, group unseen": Denial(
        grants=((TOPIC, READ),), act=wait_for_more, error=ReadFailed, needs="Read on group"
    ),
    "latest, no read": Denial(
        grants=(SEEN, (GROUP, READ)), act=wait_for_more, error=ReadFailed, needs="Read on topic"
    ),
    "clear, topic unseen": Denial(grants=(), act=clear, error=TopicNotChanged, needs="Describe on topic"),
    "clear, no delete": Denial(
        grants=((TOPIC, WRITE), (TOPIC, READ)), act=clear, error=TopicNotChanged, needs="Delete on topic"
    ),
}


@pytest.mark.parametrize("denial", DENIALS.values(), ids=DENIALS)
def test_a_denial_names_the_operation_and_what_it_is_on(session: Session, call: Call, denial: Denial) -> None:
    with session.as_administrator() as history:
        history.add_user_message("before")
    with (
        granted(session.bootstrap, session.permissions(denial.grants)),
        session.as_grantee(provision=denial.provision, replay=denial.replay) as history,
    ):
        text = f"needs {denial.needs} '{session.name}'"
        denied(lambda: denial.act(call, history), denial.error, text)
    with session.as_administrator() as history:
        assert [message.content for message in history.messages] == ["before"]


def test_who_may_write_and_not_create_is_told_so(session: Session, call: Call) -> None:
    with (
        granted(session.bootstrap, session.permissions(((TOPIC, WRITE),))),
        session.as_grantee() as history,
    ):
        denied(lambda: add(call, history), AppendRefused, f"needs Create on topic '{session.name}'")


def test_a_permission_that_is_taken_away_is_missed_at_the_next_call(session: Session, call: Call) -> None:
    """Everything is warm by then: the consumers know the topic, the producer has its id."""
    both = session.permissions(((TOPIC, READ), (TOPIC, WRITE)))
    with session.as_administrator() as history:
        history.add_user_message("before")
    with (
        granted(session.bootstrap, both),
        session.as_grantee(replay=True) as history,
    ):
        add(call, history)
        assert read(call, history) == ["before", "said"]
        revoke(session.bootstrap, both)
        denied(lambda: read(call, history), ReadFailed, "on topic")
        denied(lambda: add(call, history), AppendRefused, "on topic")


def test_a_prefix_covers_all_sessions_of_an_application(session: Session, call: Call) -> None:
    permissions = [
        evolve(permission, name="acl-", prefixed=True)
        for permission in session.permissions(((TOPIC, READ), (TOPIC, WRITE), (TOPIC, CREATE), (GROUP, READ)))
    ]
    with granted(session.bootstrap, permissions), session.as_grantee() as history:
        add(call, history)
        assert read(call, history) == ["said"]
