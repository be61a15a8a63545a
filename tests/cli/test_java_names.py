"""From the names of Kafka's Java clients to librdkafka's."""

from __future__ import annotations

import pytest

from kchat.cli.java_names import UntranslatableError, translated

MODULE = "org.apache.kafka.common.security"
SECRET = "hunter2-correct-horse"


@pytest.mark.parametrize(
    ("given", "properties"),
    [
        (
            {"sasl.jaas.config": f'{MODULE}.plain.PlainLoginModule required username="u" password="p\\"w";'},
            {"sasl.username": "u", "sasl.password": 'p"w'},
        ),
        (
            {"sasl.jaas.config": f"{MODULE}.scram.ScramLoginModule required password='p' username=u;"},
            {"sasl.username": "u", "sasl.password": "p"},
        ),
        (
            {
                "sasl.jaas.config": f'{MODULE}.oauthbearer.OAuthBearerLoginModule required clientId="c"'
                ' clientSecret="s" scope="x" extension_a="b" ;',
                "sasl.oauthbearer.token.endpoint.url": "https://localhost/token",
                "sasl.login.callback.handler.class": f"{MODULE}.oauthbearer.OAuthBearerLoginCallbackHandler",
            },
            {
                "sasl.oauthbearer.method": "oidc",
                "sasl.oauthbearer.client.id": "c",
                "sasl.oauthbearer.client.secret": "s",
                "sasl.oauthbearer.scope": "x",
                "sasl.oauthbearer.token.endpoint.url": "https://localhost/token",
            },
        ),
        (
            {
                "sasl.jaas.config": "com.sun.security.auth.module.Krb5LoginModule required"
                ' useKeyTab=true keyTab="/k" principal="p@R";'
            },
            {"sasl.kerberos.keytab": "/k", "sasl.kerberos.principal": "p@R"},
        ),
        (
            {"ssl.truststore.location": "/ca.pem", "ssl.truststore.password": "p"},
            {"ssl.ca.location": "/ca.pem"},
        ),
        ({"ssl.truststore.location": "/ca", "ssl.truststore.type": "PEM"}, {"ssl.ca.location": "/ca"}),
        ({"ssl.truststore.certificates": "PEM"}, {"ssl.ca.pem": "PEM"}),
        (
            {"ssl.keystore.location": "/me.pem", "ssl.keystore.type": "PEM", "ssl.key.password": "p"},
            {"ssl.certificate.location": "/me.pem", "ssl.key.location": "/me.pem", "ssl.key.password": "p"},
        ),
        (
            {"ssl.keystore.location": "/me.p12", "ssl.keystore.password": "p"},
            {"ssl.keystore.location": "/me.p12", "ssl.keystore.password": "p"},
        ),
        (
            {"ssl.keystore.certificate.chain": "C", "ssl.keystore.key": "K"},
            {"ssl.certificate.pem": "C", "ssl.key.pem": "K"},
        ),
        (
            {"ssl.endpoint.identification.algorithm": ""},
            {"ssl.endpoint.identification.algorithm": "none"},
        ),
        ({"max.request.size": "1"}, {"message.max.bytes": "1"}),
        ({"value.serializer": "x.Y", "schema.registry.url": "z", "max.poll.records": "5"}, {}),
        ({"sasl.mechanism": "PLAIN", "client.id": "me"}, {"sasl.mechanism": "PLAIN", "client.id": "me"}),
    ],
)
def test_it_says_the_same_by_other_names(given: dict[str, str], properties: dict[str, str]) -> None:
    assert translated(given) == properties


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"ssl.truststore.location": f"/{SECRET}.jks"}, "ssl.truststore.location cannot be translated"),
        ({"ssl.truststore.location": f"/{SECRET}.p12", "ssl.truststore.type": "PKCS12"}, "no PEM file"),
        ({"ssl.keystore.location": f"/{SECRET}", "ssl.keystore.type": "jks"}, "Java's own kind"),
        (
            {"sasl.jaas.config": f"x.AwsLoginModule required password={SECRET};"},
            "its login module is none of",
        ),
        ({"sasl.jaas.config": SECRET}, "it is not of the form"),
        ({"sasl.jaas.config": f'x.PlainLoginModule required username="{SECRET}";'}, "has no password"),
        ({"sasl.jaas.config": f'x.PlainLoginModule required password="{SECRET} ;'}, "cannot be read"),
        ({"sasl.client.callback.handler.class": SECRET}, "it names a Java class"),
    ],
)
def test_what_cannot_be_translated_is_told_without_its_value(given: dict[str, str], told: str) -> None:
    with pytest.raises(UntranslatableError) as raised:
        translated(given)
    assert told in str(raised.value)
    assert raised.value.next_step
    assert SECRET not in str(raised.value) + raised.value.next_step
