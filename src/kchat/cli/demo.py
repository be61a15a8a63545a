"""`kchat demo`: a conversation appended and read back in every way, on an embedded Kafka or on a cluster."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import click
from attrs import frozen

from kchat.cli.connection import Connection, connection_options
from kchat.cli.demo_messages import default_conversation, said_conversation
from kchat.cli.demo_report import JsonReport, Report, TextReport
from kchat.cli.demo_steps import Demo
from kchat.cli.errors import sentence
from kchat.cli.options import BOOTSTRAP_VARIABLE, debug_option, json_option
from kchat.conversation.escaping import printable
from kchat.core import (
    FromCommitted,
    InvalidSessionId,
    JsonDecoder,
    KchatError,
    OnCorrupt,
    Placement,
    ReadRequest,
    RemoveTopic,
    TopicGone,
    delivered,
    place,
)
from kchat.io import EmbeddedKafka, KafkaLog

LOOK_MS_MAX = 5_000
"""How long to look whether the session is there: a cluster that does not answer is known after this."""

REMOVE_MS_MAX = 2_000
"""How long to remove the topic of a demo that failed: it must not hold up the error for long."""


@frozen
class Cluster:
    """Where the demo runs."""

    log: KafkaLog
    servers: str
    embedded: bool


@click.command()
@connection_options
@click.option("--session", metavar="ID", help="The session to use.  [default: a new one]")
@click.option(
    "--say",
    "texts",
    metavar="TEXT",
    multiple=True,
    help="A message, instead of the demo's own. Repeatable; the user and the model speak in turn.",
)
@click.option("--keep", is_flag=True, help="Leave the session's topic where it is.")
@json_option
@debug_option
def demo(
    connection: Connection,
    session: str | None,
    texts: Sequence[str],
    keep: bool,
    as_json: bool,
) -> None:
    """Append a conversation, and read it back.

    In every way that KafkaChatMessageHistory offers.

    Without a cluster it runs on an embedded Kafka: librdkafka's mock cluster, in this process.

    On a cluster it makes a new session, and deletes its topic at the end. A session that was there before
    is left in place: the demo appends to it and moves its cursor.
    """
    session = f"kchat-demo-{uuid.uuid4().hex[:8]}" if session is None else session
    placement = _placement(session)
    with _opened(connection) as cluster:
        report: Report = TextReport()
        if as_json:
            report = JsonReport(
                bootstrap=cluster.servers,
                embedded=cluster.embedded,
                session=session,
                topic=placement.topic,
            )
        try:
            _run(cluster, session, placement, texts, keep=keep, report=report)
        except KchatError as error:
            report.end(sentence(error))
            raise
        report.end(None)


def _run(
    cluster: Cluster,
    session: str,
    placement: Placement,
    texts: Sequence[str],
    *,
    keep: bool,
    report: Report,
) -> None:
    """Run the demo, and leave the cluster as it was found."""
    topic = placement.topic
    report.note(_whereabouts(cluster))
    report.note(f"Session {session}" + ("" if topic == session else f", in topic {topic}"))
    found = _is_there(cluster.log, session, placement)
    if found:
        report.note("It was there before: the demo appends to it, moves its cursor, and leaves it in place.")
    stays = found or keep
    demo = Demo(session, cluster.servers, cluster.log)
    messages = said_conversation(texts) if texts else default_conversation()
    try:
        with closing(demo.steps(messages)) as steps:
            for step in steps:
                report.step(step)
        if not stays:
            report.step(demo.clear())
    except BaseException:
        if not (stays or cluster.embedded):
            _remove(cluster.log, topic)
        raise
    if stays and not cluster.embedded:
        report.note(f"The topic {topic} stays.")
    if cluster.embedded:
        report.note("The embedded Kafka ends here, and its content is gone.")


def _whereabouts(cluster: Cluster) -> str:
    if not cluster.embedded:
        return f"Kafka at {cluster.servers}"
    return (
        f"An embedded Kafka at {cluster.servers}: librdkafka's mock cluster, in this process. Its content is"
        f" gone at the end. For a cluster of yours: --bootstrap, or {BOOTSTRAP_VARIABLE}."
    )


def _remove(log: KafkaLog, topic: str) -> None:
    """Remove what a demo that did not come to its end has created."""
    outcome = log.provision(RemoveTopic(topic=topic, wait_ms_max=REMOVE_MS_MAX))
    if not isinstance(outcome, TopicGone):
        click.echo(printable(f"kchat: the topic {topic} could not be deleted, and may be left"), err=True)


def _placement(session: str) -> Placement:
    try:
        return place(session)
    except InvalidSessionId as error:
        raise click.BadParameter(str(error), param_hint="--session") from None


@contextmanager
def _opened(connection: Connection) -> Iterator[Cluster]:
    """The cluster that is named, or an embedded one that ends with the block."""
    if connection.servers is not None:
        with connection.log() as log:
            yield Cluster(log, connection.servers, embedded=False)
        return
    with EmbeddedKafka() as embedded, embedded.log(**connection.properties) as log:
        yield Cluster(log, embedded.bootstrap_servers, embedded=True)


def _is_there(log: KafkaLog, session: str, placement: Placement) -> bool:
    """Whether the session's topic exists. Looking moves no cursor.

    Raises:
        ReadFailed: the cluster does not answer, or denies it.
    """
    look = ReadRequest(
        topic=placement.topic,
        start=FromCommitted(placement.group),
        decoder=JsonDecoder(),
        on_corrupt=OnCorrupt.SKIP,
        messages_max=1,
        wait_ms_max=LOOK_MS_MAX,
    )
    progress = delivered(log.read(look), session=session, topic=placement.topic)
    return bool(progress.positions)  # a missing topic reads as an empty conversation, without partitions
