"""Moments as a user types them: `2026-03-01T09:30`, `2h`."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import click

_DURATION = re.compile(r"(?P<count>\d{1,9}(?:\.\d{1,9})?)(?P<unit>ms|[smhdw])")
_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}

FORMS = (
    "a time as 2026-03-01 or 2026-03-01T09:30 (UTC, unless it says +02:00), or an age as 90s, 15m, 2h, 1d, 1w"
)


def moment(text: str, now: datetime) -> datetime:
    """The moment that a text names, in UTC: a time by ISO 8601, or so long before `now`.

    Raises:
        ValueError: it names none.
    """
    duration = _DURATION.fullmatch(text)
    try:
        if duration is not None:
            return now - float(duration["count"]) * _UNITS[duration["unit"]]
        named = datetime.fromisoformat(text)
        return (named if named.tzinfo else named.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"this is no moment; give {FORMS}") from None


def moment_option(name: str, text: str) -> Callable[..., Callable[..., object]]:
    """An option that takes a moment."""

    def read(_: click.Context, __: click.Parameter, given: str | None) -> datetime | None:
        if given is None:
            return None
        try:
            return moment(given, datetime.now(UTC))
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return click.option(name, metavar="TIME", callback=read, help=text)
