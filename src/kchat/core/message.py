"""A chat message without a chat library."""

from typing import Any

from attrs import field, frozen


@frozen
class Message:
    """One chat message as it is stored.

    Args:
        type: the kind of message, one of `kchat.core.MESSAGE_TYPES` ("human", "ai", "tool", ...).
        data: its fields as JSON values (dict, list, str, int, float, bool, None). Treat it as read-only.
    """

    type: str
    data: dict[str, Any] = field(repr=lambda data: f"<{len(data)} fields>")

    @property
    def id(self) -> str | None:
        """The message's own id, by which a removal may name it; None where it has none."""
        found = self.data.get("id")
        return found if isinstance(found, str) else None

    @property
    def text(self) -> str:
        """The readable part of `content`: the string itself, or its text blocks one after the other."""
        content = self.data.get("content")
        if isinstance(content, str):
            return content
        blocks = content if isinstance(content, list) else []
        texts = [b.get("text") if isinstance(b, dict) else b for b in blocks]
        return "".join(text for text in texts if isinstance(text, str))
