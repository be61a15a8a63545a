"""`sasl.jaas.config`, in which Kafka's Java clients have the user and the password."""

import re

from attrs import frozen

_MODULE = re.compile(
    r"\s*(?P<module>[\w.$]+)\s+(?:required|requisite|sufficient|optional)\b(?P<options>.*)", re.S
)
_OPTION = re.compile(
    r"""\s*(?P<name>[\w.]+)\s*=\s*(?:"(?P<double>(?:\\.|[^"\\])*)"|'(?P<single>(?:\\.|[^'\\])*)'|(?P<bare>[^\s;"']+))""",
    re.S,
)

PASSWORD_MODULES = frozenset({"PlainLoginModule", "ScramLoginModule"})
OAUTH_MODULE = "OAuthBearerLoginModule"
KERBEROS_MODULE = "Krb5LoginModule"

_NAMES = {
    "PlainLoginModule": {"username": "sasl.username", "password": "sasl.password"},
    "ScramLoginModule": {"username": "sasl.username", "password": "sasl.password"},
    OAUTH_MODULE: {
        "clientId": "sasl.oauthbearer.client.id",
        "clientSecret": "sasl.oauthbearer.client.secret",
        "scope": "sasl.oauthbearer.scope",
    },
    KERBEROS_MODULE: {
        "keyTab": "sasl.kerberos.keytab",
        "principal": "sasl.kerberos.principal",
        "serviceName": "sasl.kerberos.service.name",
    },
}
"""What librdkafka calls the options of each module; other options have no counterpart there."""


@frozen
class UnknownJaas:
    """It could not be read; `reason` quotes nothing of it but the name of the module."""

    reason: str


def jaas_properties(text: str) -> dict[str, str] | UnknownJaas:
    """The librdkafka properties that say the same as a `sasl.jaas.config`."""
    found = _MODULE.fullmatch(text)
    if found is None:
        return UnknownJaas('it is not of the form: MODULE required name="value" ...;')
    module = found["module"].rpartition(".")[2]
    names = _NAMES.get(module)
    if names is None:
        return UnknownJaas("its login module is none of " + ", ".join(_NAMES))
    options = _options(found["options"])
    if options is None:
        return UnknownJaas('its options cannot be read; each is name="value", and a ; ends them')
    missing = [
        name for name in ("username", "password") if module in PASSWORD_MODULES and name not in options
    ]
    if missing:
        return UnknownJaas(f"its {module} has no {missing[0]}")
    properties = {names[name]: value for name, value in options.items() if name in names}
    return properties | ({"sasl.oauthbearer.method": "oidc"} if module == OAUTH_MODULE else {})


def _options(text: str) -> dict[str, str] | None:
    options, at = {}, 0
    while (option := _OPTION.match(text, at)) is not None:
        quoted = option["double"] if option["double"] is not None else option["single"]
        options[option["name"]] = (
            option["bare"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted, flags=re.S)
        )
        at = option.end()
    return options if text[at:].strip() in {"", ";"} else None
