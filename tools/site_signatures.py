"""Gives attrs classes their signatures in the API reference.

Griffe reads sources, and attrs writes `__init__` at run time.
"""

from typing import Any

import griffe

ATTRS = {"attrs.frozen", "attrs.define"}


class AttrsSignatures(griffe.Extension):
    """Adds the `__init__` that attrs will make of a class's fields."""

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:
        """A class was read, with all its members."""
        decorator = next((each for each in cls.decorators if each.callable_path in ATTRS), None)
        if decorator is None or "__init__" in cls.members:
            return
        named = "kw_only=True" in str(decorator.value)
        kind = griffe.ParameterKind.keyword_only if named else griffe.ParameterKind.positional_or_keyword
        fields = [
            griffe.Parameter(name.lstrip("_"), annotation=field.annotation, kind=kind, default=default(field))
            for name, field in cls.members.items()
            if isinstance(field, griffe.Attribute) and field.annotation is not None and taken(field)
        ]
        itself = griffe.Parameter("self", kind=griffe.ParameterKind.positional_or_keyword)
        made = griffe.Function("__init__", parameters=griffe.Parameters(itself, *fields), parent=cls)
        cls.set_member("__init__", made)


def taken(field: griffe.Attribute) -> bool:
    """Whether the caller gives this: a field, and no property, no constant of the class, no `init=False`."""
    return (
        "property" not in field.labels
        and not str(field.annotation).startswith("ClassVar")
        and "init=False" not in str(field.value)
    )


def default(field: griffe.Attribute) -> str | griffe.Expr | None:
    """What the field is without the caller's word: `field(default=...)` is attrs' way to say it."""
    if not isinstance(field.value, griffe.ExprCall) or str(field.value.function) != "field":
        return field.value
    given = {each.name: each.value for each in field.value.arguments if isinstance(each, griffe.ExprKeyword)}
    return given.get("default") or given.get("factory")
