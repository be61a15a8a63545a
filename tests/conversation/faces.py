"""Calls of either face: what one gives is awaited, or followed to its end."""

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any


def ended(result: Any) -> Any:
    """What a call gives in the end."""
    if inspect.isawaitable(result):
        return asyncio.run(_awaited(result))
    if hasattr(result, "__aiter__"):
        return asyncio.run(_collected(result))
    return list(result) if isinstance(result, Iterator) else result


async def _awaited(result: Any) -> Any:
    return await result


async def _collected(result: Any) -> list[Any]:
    return [each async for each in result]
