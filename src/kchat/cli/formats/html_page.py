"""The page around a conversation: one file, without a script, that loads nothing."""

import base64
import hashlib
import html

from kchat.cli.formats.html_style import STYLE
from kchat.conversation.escaping import printable

_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

_POLICY = (
    "default-src 'none'",
    f"style-src 'sha256-{_STYLE_HASH}'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
)

POLICY = "; ".join(_POLICY)
"""Should the escaping ever fail: the browser runs no script, loads nothing, and takes no other style."""


def head(*, title: str, about: str) -> str:
    """All that comes before the messages."""
    shown = html.escape(printable(title))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>{shown}</title>
<style>{STYLE}</style>
</head>
<body>
<header class="page">
<h1 dir="auto">{shown}</h1>
<p>{html.escape(printable(about))}</p>
</header>
<main>
"""


def foot(*, about: str) -> str:
    """All that comes after them."""
    return f"""</main>
<footer class="page"><p>{html.escape(printable(about))}</p></footer>
</body>
</html>
"""
