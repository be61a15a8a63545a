"""Files of properties, read as Java reads them."""

from __future__ import annotations

import pytest

from kchat.cli.properties_file import NoPropertyError, parsed


@pytest.mark.parametrize(
    ("text", "properties"),
    [
        ("a=1\nb: 2\nc 3\nd", {"a": "1", "b": "2", "c": "3", "d": ""}),
        ("# no\n  ! nor this\n\n   a = 1  \n", {"a": "1"}),
        ("a=1\r\nb=2\rc=3", {"a": "1", "b": "2", "c": "3"}),
        ("a=one,\\\n    two", {"a": "one,two"}),
        ("a=ends\\\\\nb=2", {"a": "ends\\", "b": "2"}),
        ("a=1\\", {"a": "1"}),
        ("a\\ b\\=c=d=e", {"a b=c": "d=e"}),
        ("a=\\u00e9\\t\\:", {"a": "\xe9\t:"}),
        ("a=#no comment", {"a": "#no comment"}),
        ("a=1\na=2", {"a": "2"}),
        ("\ufeffa=1", {"a": "1"}),
        ('sasl.jaas.config=x.Module required \\\n  username="u" \\\n  password="p";', None),
        ("", {}),
    ],
)
def test_a_text_has_these_properties(text: str, properties: dict[str, str] | None) -> None:
    if properties is None:
        properties = {"sasl.jaas.config": 'x.Module required username="u" password="p";'}
    assert parsed(text) == properties


def test_a_line_without_a_name_is_named_by_its_number_alone() -> None:
    with pytest.raises(NoPropertyError, match=r"^line 3 has no property name$"):
        parsed("a=1\n\n=hunter2")
