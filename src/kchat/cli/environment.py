"""Properties of the Kafka client from environment variables: `KCHAT_KAFKA__SASL__PASSWORD` and the like."""

from collections.abc import Mapping

PREFIX = "KCHAT_KAFKA__"


def environment_properties(environment: Mapping[str, str]) -> dict[str, str]:
    """The properties that variables name: behind the prefix, in lower case, every `__` a dot.

    A variable that is set to nothing counts as not set, as where a container passes on one that is missing.
    """
    return {
        name.removeprefix(PREFIX).replace("__", ".").lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and name != PREFIX and value
    }
