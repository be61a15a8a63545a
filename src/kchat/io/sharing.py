"""One log for all histories of a cluster: a web server makes a history for each request."""

import asyncio
from collections.abc import Mapping
from threading import RLock
from typing import Any
from weakref import ref

from attrs import define, field

from kchat.core import Sealed
from kchat.io.config import Config
from kchat.io.forks import forget_in_child
from kchat.io.log import KafkaLog


class _User:
    __slots__ = ("__weakref__",)


@define(eq=False)
class _Shared:
    """Weak references: a server may drop a history for each request, and they must not add up."""

    log: KafkaLog
    users: "set[ref[_User]]" = field(factory=set)
    dropped: bool = False

    def forget(self, user: "ref[_User]") -> None:
        """A user is garbage, and its share was not released. Comes at any moment: no lock may be taken."""
        self.dropped = True
        self.users.discard(user)


@define(eq=False)
class SharedLog:
    """One user's share of a log. `release` gives it back; the last release closes the log.

    A share that is dropped without being released keeps the log open, for the next user: so a server that
    makes a history for each request, and never closes one, connects once.
    """

    log: KafkaLog
    key: object = field(repr=False)
    user: _User = field(factory=_User, repr=False)

    def release(self) -> None:
        """Give the share back. A second call does nothing, or what Ctrl-C kept the first one from."""
        _registry.release(self)

    async def arelease(self) -> None:
        """`release`, without blocking the event loop: ending the clients takes some milliseconds."""
        await asyncio.to_thread(self.release)


class _Registry:
    """Who shares which log.

    The lock lets its own thread in again: a signal handler may close a history while the code that it
    interrupts makes or closes another. So each step below allows for such a one just before it.
    """

    def __init__(self) -> None:
        self._logs: dict[object, _Shared] = {}
        self._lock = RLock()

    def after_fork(self) -> None:
        self._lock = RLock()  # another thread may have held it; the logs forget their own clients

    def share(self, properties: Sealed[Mapping[str, Any]]) -> SharedLog:
        config = Config.of(properties)
        key = Sealed(frozenset((name, _identity(value)) for name, value in config.properties.items()))
        with self._lock:
            while True:
                shared = self._logs.get(key)
                if shared is None:
                    shared = self._logs.setdefault(key, _Shared(KafkaLog(config.properties)))
                share = SharedLog(shared.log, key)
                shared.users.add(ref(share.user, shared.forget))
                if self._logs.get(key) is shared:  # else its last user has closed it meanwhile
                    return share

    def release(self, share: SharedLog) -> None:
        with self._lock:
            shared = self._logs.get(share.key)
            if shared is not None and shared.log is share.log:
                shared.users.discard(ref(share.user))
                if shared.users or shared.dropped:
                    return
                if self._logs.get(share.key) is shared:
                    del self._logs[share.key]
        # Again, perhaps: an earlier release may have been interrupted here.
        share.log.close()


def _identity(value: object) -> object:
    """Equal settings share a log: by value where that can be hashed, else by identity (a callback, say)."""
    try:
        hash(value)
    except TypeError:
        return id(value)
    return (type(value).__name__, value)


_registry = _Registry()
forget_in_child(_registry)


def share_log(properties: Mapping[str, Any]) -> SharedLog:
    """A share of the log that all users of these properties have in common. No I/O.

    Raises:
        InvalidConfig: as `KafkaLog` does.
    """
    sealed = Sealed(properties)
    del properties
    return _registry.share(sealed)
