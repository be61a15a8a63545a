"""`--arg NAME=VALUE`: arguments of a history class, any of which may be a secret."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import click
from attrs import field, frozen

from kchat.cli.decorating import Decorator
from kchat.cli.options import PROPERTIES_KEY
from kchat.cli.secrets import has_login, is_secret, value_from_elsewhere, warn_of

AS_JSON = ":"
"""`name:=value`: the value is JSON. `name=value`: it is a text, whatever it looks like. With
`@FILE` for the value it is read from a file."""


@frozen
class Arguments:
    """The arguments; `texts` are all that errors must not show of them."""

    values: dict[str, Any] = field(factory=dict, repr=False)
    texts: tuple[str, ...] = field(default=(), repr=False)

    @property
    def given(self) -> bool:
        """Whether there are any."""
        return bool(self.values)

    def keep_secret(self, context: click.Context) -> None:
        """Take their values out of every error and traceback, as those of the connection's properties."""
        names = {f"--arg {number}": text for number, text in enumerate(self.texts)}
        context.meta[PROPERTIES_KEY] = {**context.meta.get(PROPERTIES_KEY, {}), **names}


def _arguments(context: click.Context, _: click.Parameter, given: Sequence[str]) -> Arguments:
    """Split NAME=VALUE and NAME:=JSON. No error repeats what was given."""
    if context.resilient_parsing:
        return Arguments()  # a line that is being typed is no place for questions and warnings
    values: dict[str, Any] = {}
    texts: list[str] = []
    for position, assignment in enumerate(given, start=1):
        name, equals, text = assignment.partition("=")
        of_json, name = name.endswith(AS_JSON), name.removesuffix(AS_JSON)
        if not equals or not name.isidentifier():
            raise click.BadParameter(f"number {position} is not of the form NAME=VALUE or NAME:=JSON")
        text = _from_elsewhere(f"{name}:" if of_json else name, text)
        try:
            values[name] = json.loads(text) if of_json else text
        except (ValueError, RecursionError):
            told = f"number {position} ({name}) is no JSON; NAME=VALUE gives a text"
            raise click.BadParameter(told) from None
        texts += _texts(values[name])
    return Arguments(values, tuple(texts))


def _from_elsewhere(name: str, given: str) -> str:
    elsewhere = value_from_elsewhere(name, given)
    if elsewhere is None and (is_secret(name) or has_login(given)):
        warn_of(f"--arg {name}")
    return given if elsewhere is None else elsewhere


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            for item in value.values():
                yield from _texts(item)
        case _:
            pass


arguments_option: Decorator = click.option(
    "--arg",
    "arguments",
    metavar="NAME=VALUE",
    multiple=True,
    callback=_arguments,
    help="An argument of the class; NAME:=JSON for what is no text. Repeatable; values are never shown. A"
    " password, or a URL with one: NAME=@FILE, or NAME=@ to be asked for it.",
)
