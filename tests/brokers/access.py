"""Grants permissions on a secured broker, and takes them away again."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import frozen
from confluent_kafka.admin import (  # documented, but not in its __all__
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

TOPIC = ResourceType.TOPIC
GROUP = ResourceType.GROUP

LIMIT_SECONDS = 10.0


@frozen
class Permission:
    """What one user may do; to everything of a kind unless a name, or the beginning of one, is given."""

    user: str
    resource: ResourceType
    operation: AclOperation
    name: str = "*"
    prefixed: bool = False

    def binding(self) -> AclBinding:
        """The same in the client's words."""
        pattern = ResourcePatternType.PREFIXED if self.prefixed else ResourcePatternType.LITERAL
        user = f"User:{self.user}"
        return AclBinding(
            self.resource, self.name, pattern, user, "*", self.operation, AclPermissionType.ALLOW
        )


def grant(bootstrap: str, permissions: Collection[Permission]) -> None:
    """Grant them; returns when the broker goes by them."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    bindings = [permission.binding() for permission in permissions]
    if bindings:
        for granted in admin.create_acls(bindings, request_timeout=LIMIT_SECONDS).values():
            granted.result(LIMIT_SECONDS)
    _wait(admin, lambda there: set(bindings) <= there)


def revoke(bootstrap: str, permissions: Collection[Permission]) -> None:
    """Take them away; returns when the broker goes by that."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    filters = [_only(permission.binding()) for permission in permissions]
    if filters:
        for revoked in admin.delete_acls(filters, request_timeout=LIMIT_SECONDS).values():
            revoked.result(LIMIT_SECONDS)
    _wait(admin, lambda there: not there & {permission.binding() for permission in permissions})


@contextmanager
def granted(bootstrap: str, permissions: Collection[Permission]) -> Iterator[None]:
    """Permissions for a while."""
    grant(bootstrap, permissions)
    try:
        yield
    finally:
        revoke(bootstrap, permissions)


def _wait(admin: AdminClient, seen: Callable[[set[AclBinding]], bool]) -> None:
    """Wait until the broker's own list, which is the one it goes by, is as it should be."""
    end = time.monotonic() + LIMIT_SECONDS
    while not seen(set(admin.describe_acls(_EVERY, request_timeout=LIMIT_SECONDS).result(LIMIT_SECONDS))):
        if time.monotonic() > end:
            raise TimeoutError("the access lists did not change")
        time.sleep(0.01)


def _only(binding: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        binding.restype,
        binding.name,
        binding.resource_pattern_type,
        binding.principal,
        binding.host,
        binding.operation,
        binding.permission_type,
    )


_EVERY = AclBindingFilter(
    ResourceType.ANY,
    None,  # type: ignore[arg-type]  # documented: None matches any
    ResourcePatternType.ANY,
    None,  # type: ignore[arg-type]
    None,  # type: ignore[arg-type]
    AclOperation.ANY,
    AclPermissionType.ANY,
)
