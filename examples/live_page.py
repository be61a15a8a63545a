"""A web page that follows a session live: FastAPI, one log for all requests, server-sent events.

Run it, with fastapi and uvicorn, and open http://127.0.0.1:8000/?session=support-17, twice. It is on the
cluster of KCHAT_BOOTSTRAP, else an embedded one. Who may see a session is yours to decide; here all may.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Annotated, Literal

import uvicorn
from fastapi import Body, Depends, FastAPI, Header, Request
from fastapi.responses import FileResponse, JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from kchat.conversation import AsyncConversation, Entry
from kchat.core import ChatPosition, KchatError, Message
from kchat.io import APACHE_KAFKA, MOCK_CLUSTER, AsyncKafkaLog, EmbeddedKafka


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """One log: all who follow share one of its consumers."""
    servers = os.environ.get("KCHAT_BOOTSTRAP")
    with nullcontext() if servers else EmbeddedKafka() as embedded:
        servers, able = (embedded.bootstrap_servers, MOCK_CLUSTER) if embedded else (servers, APACHE_KAFKA)
        async with AsyncKafkaLog({"bootstrap.servers": servers}, capabilities=able) as app.state.log:
            yield


async def talk_of(session_id: str, request: Request) -> AsyncConversation[Message]:
    """The session of a request: to make one costs nothing."""
    log: AsyncKafkaLog = request.app.state.log
    return log.conversation(session_id)


Talk = Annotated[AsyncConversation[Message], Depends(talk_of)]


async def new_to(talk: Talk, last_event_id: Annotated[str, Header()] = "") -> AsyncIterator[Entry[Message]]:
    """What the page has not seen yet. A browser that comes back says which event was its last one."""
    after = ChatPosition.parse(last_event_id) if last_event_id else None
    return talk.follow(after=after, wait_for_session=True)


Role = Literal["human", "ai"]
Entries = Annotated[AsyncIterator[Entry[Message]], Depends(new_to)]
app = FastAPI(lifespan=lifespan)
app.get("/")(lambda: FileResponse(__file__.removesuffix(".py") + ".html"))


@app.get("/sessions/{session_id}/events", response_class=EventSourceResponse)
async def events(entries: Entries) -> AsyncIterator[ServerSentEvent]:
    """The session from its beginning, live. It ends when the client leaves."""
    try:
        async for entry in entries:
            message = entry.message
            shown = {"type": message.type, "text": message.text, "time": entry.time, "id": message.id}
            shown["names"] = entry.names  # the `id` of a "remove" is one of these
            yield ServerSentEvent(data=shown, id=str(entry.position), retry=1_000)
    except KchatError as error:  # the session was deleted, say: the page begins again
        yield ServerSentEvent(event="ended", data=str(error))


@app.post("/sessions/{session_id}/messages", status_code=204)
async def say(talk: Talk, role: Annotated[Role, Body()], text: Annotated[str, Body()]) -> None:
    """Append a message; every page that follows the session shows it."""
    await talk.append([Message(role, {"content": text})])


@app.exception_handler(KchatError)
async def told(_: Request, error: KchatError) -> JSONResponse:
    """A session id or a position that is none, or a cluster that is away: kchat's errors say what to do."""
    return JSONResponse({"detail": str(error)}, 400 if isinstance(error, ValueError) else 503)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=8000, timeout_graceful_shutdown=1)
