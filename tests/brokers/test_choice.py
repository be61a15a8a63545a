from __future__ import annotations

import pytest

from tests.brokers.choice import (
    Container,
    External,
    Jars,
    Missing,
    choose,
    choose_jars,
    java_command,
)


def yes() -> bool:
    return True


def no() -> bool:
    return False


def java_17() -> int | None:
    return 17


def java_11() -> int | None:
    return 11


def no_java() -> int | None:
    return None


def must_not_be_asked() -> bool:
    raise AssertionError("the machine was looked at without need")


def test_a_named_cluster_comes_first_and_nothing_is_probed() -> None:
    environ = {"KCHAT_TEST_BOOTSTRAP": " kafka.example:9092 "}
    choice = choose(environ, must_not_be_asked, java_17, must_not_be_asked)
    assert choice == External("kafka.example:9092")


def test_a_blank_address_is_no_cluster() -> None:
    assert choose({"KCHAT_TEST_BOOTSTRAP": " "}, yes, no_java, no) == Container()


def test_docker_comes_before_jars() -> None:
    assert choose({}, yes, java_17, yes) == Container()


def test_jars_need_java_and_maven() -> None:
    assert choose({}, no, java_17, yes) == Jars("java")


def test_java_home_names_the_java() -> None:
    assert java_command({"JAVA_HOME": "/opt/jdk"}) == "/opt/jdk/bin/java"
    assert choose({"JAVA_HOME": "/opt/jdk"}, no, java_17, yes) == Jars("/opt/jdk/bin/java")


def test_nothing_there_says_what_is_missing_and_what_to_install() -> None:
    choice = choose({}, no, no_java, no)
    assert choice == Missing(
        "no Docker engine answers, no Java (java does not run), no Maven (mvn is not on the search path)",
        "start Docker, or install Java 17 or newer and Maven,"
        " or set KCHAT_TEST_BOOTSTRAP to a cluster's host:port",
    )
    assert str(choice).startswith("no real Kafka: no Docker engine answers, ")


def test_an_old_java_is_named() -> None:
    choice = choose({}, no, java_11, yes)
    assert isinstance(choice, Missing)
    assert "Java 11 is too old" in choice.reason
    assert "Maven" not in choice.reason


@pytest.mark.parametrize("bootstrap", ["", "kafka.example:9092"])
def test_jars_can_be_asked_for_although_others_are_there(bootstrap: str) -> None:
    environ = {"KCHAT_TEST_KAFKA": "jars", "KCHAT_TEST_BOOTSTRAP": bootstrap}
    assert choose(environ, must_not_be_asked, java_17, yes) == Jars("java")


def test_docker_can_be_asked_for_and_jars_do_not_stand_in() -> None:
    environ = {"KCHAT_TEST_KAFKA": "docker"}
    assert choose(environ, yes, java_17, yes) == Container()
    assert choose(environ, no, java_17, yes) == Missing("no Docker engine answers", "start Docker")


def test_none_can_be_asked_for() -> None:
    choice = choose({"KCHAT_TEST_KAFKA": "none"}, must_not_be_asked, java_17, must_not_be_asked)
    assert isinstance(choice, Missing)
    assert choice.remedy == "unset KCHAT_TEST_KAFKA"


def test_a_typing_error_does_not_skip_tests() -> None:
    with pytest.raises(ValueError, match="KCHAT_TEST_KAFKA='jar': expected one of docker, jars, none"):
        choose({"KCHAT_TEST_KAFKA": "jar"}, yes, java_17, yes)


def test_tests_that_kill_their_broker_ignore_docker_and_clusters() -> None:
    environ = {"KCHAT_TEST_BOOTSTRAP": "kafka.example:9092"}
    assert choose_jars(environ, java_17, yes) == Jars("java")
    assert isinstance(choose_jars(environ, java_17, no), Missing)
