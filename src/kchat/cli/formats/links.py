"""Which links of a message may be followed from a page."""

from urllib.parse import urlsplit

SCHEMES = frozenset({"http", "https", "mailto"})


def is_safe_link(url: str) -> bool:
    """Whether it leads to the web or to a mailbox, and says so itself: no script, no file, no path."""
    try:
        return url.isprintable() and urlsplit(url).scheme in SCHEMES
    except ValueError:
        return False
