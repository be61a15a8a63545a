"""One case of the hostile input row, in a child process: a call, with one argument exchanged."""

import json
import os
import traceback

from tests.proof.hostile_calls import ALLOWED, Caller
from tests.proof.hostile_requests import CALLS
from tests.proof.hostile_values import VALUES

CANARY = "canary of somebody else"

TOPICS = {
    ("ReadRequest", "topic"),
    ("AppendRequest", "topic"),
    ("EnsureTopic", "topic"),
    ("RemoveTopic", "topic"),
}
TOPICS |= {("place_in", "topic"), ("FromCommitted", "group"), ("ReadRequest", "commit_to")}
"""These name a topic or a group itself, not a session: the neighbour's is then the neighbour's, rightly."""

KAFKA_TOPICS = {"offsets topic", "transactions topic", "metadata topic"}

REFUSALS = {"ValueError", "InvalidSessionId"}

ENDLESS = {
    ("messages_from_latest", "max_time_sec", "None"),
    ("amessages_from_latest", "max_time_sec", "None"),
}
"""Legal calls that wait for a message that never comes."""


def is_a_case(call: str, parameter: str, value: str) -> bool:
    """Whether this is hostile at all."""
    if (call, parameter) in TOPICS and value == "escaped form":
        return False
    return (call.removeprefix("KafkaChatMessageHistory."), parameter, value) not in ENDLESS


def tell(**what: object) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


def run(servers: str, call: str, parameter: str, value: str) -> None:
    """Run a case and print how it ended; without a parameter the call is made as it should be."""
    caller, tried = Caller(servers), CALLS[call]
    wrong = ""
    ended = "success"
    try:
        tried.invoke(caller, {parameter: VALUES[value]()} if parameter else tried.plain)
    except ALLOWED as error:
        ended = type(error).__name__
    except BaseException as error:
        ended = type(error).__name__
        wrong = "".join(traceback.format_exception(error))[-900:]
    if (
        (call, parameter) in TOPICS
        and parameter == "topic"
        and value in KAFKA_TOPICS
        and ended not in REFUSALS
    ):
        wrong += f"Kafka's own topic was asked for: {ended}"
    seen = any(CANARY in text for text in caller.given)
    tell(ended=ended, wrong=wrong, seen=seen)


def run_all(call: str, parameter: str, values: list[str]) -> None:
    """Cases that ask no broker: one after the other, a line before and after each."""
    for value in values:
        tell(begun=value)
        run("", call, parameter, value)
