"""Writes generated tables into a page that people wrote."""

import re


def between(page: str, name: str, text: str) -> str:
    """The page with this text between the marks of this name; what is around them stays.

    Raises:
        ValueError: the marks are not there, or more than once.
    """
    begin, end = marks(name)
    pattern = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
    if len(pattern.findall(page)) != 1 or page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"the page needs the marks {begin} and {end}, once")
    return pattern.sub(lambda _: f"{begin}\n{text.rstrip()}\n{end}", page)


def marks(name: str) -> tuple[str, str]:
    """The lines before and after what is generated."""
    return f"<!-- written by `make scale`: {name} -->", f"<!-- end of {name} -->"
