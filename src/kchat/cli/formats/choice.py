"""Which format a file is of."""

import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import IO, cast

from kchat.cli.formats.entries import Source, Write
from kchat.cli.formats.jsonl_writer import VERSION_FIELD

Read = Callable[[IO[bytes]], Iterator[Source]]

WRITTEN = ("jsonl", "openai", "markdown", "html")
READ = ("jsonl", "openai")

ENDINGS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".md": "markdown", ".html": "html", ".htm": "html"}
"""What a file's name says; `.json` says too little."""


def written_as(name: str | None, path: str | None) -> str:
    """The format to write: the one that is named, else what the file's ending says, else JSON Lines."""
    if name is not None:
        return name
    return "jsonl" if path is None else ENDINGS.get(PurePath(path).suffix.lower(), "jsonl")


def writer(name: str) -> Write:
    """The writer of a format. It is imported here: one that needs no LangChain does not wait for it."""
    return cast("Write", importlib.import_module(f"kchat.cli.formats.{name}_writer").write)


def reader(name: str) -> Read:
    """The reader of a format."""
    return cast("Read", importlib.import_module(f"kchat.cli.formats.{name}_reader").read)


def looks_like(begin: bytes) -> str:
    """The format of a file that begins so: JSON Lines, unless it is one document with messages in it."""
    first = begin.lstrip().partition(b"\n")[0]
    try:
        document = json.loads(first)
    except (ValueError, RecursionError):
        is_line = first.startswith(b'{"') and b'"messages"' not in begin
        return "jsonl" if is_line or VERSION_FIELD.encode() in first else "openai"
    return "jsonl" if isinstance(document, dict) and "messages" not in document else "openai"
