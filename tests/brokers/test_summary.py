from __future__ import annotations

from tests.brokers.choice import Missing
from tests.brokers.summary import Summary, kafka_required, summarize

MISSING = Missing("no Docker engine answers", "start Docker")


def test_nothing_skipped_says_nothing() -> None:
    assert summarize(0, None, {"KCHAT_REQUIRE_KAFKA": "1"}) == Summary((), failed=False)


def test_skips_are_counted_explained_and_no_failure() -> None:
    assert summarize(12, MISSING, {}) == Summary(
        (
            "12 tests skipped for want of a real Kafka.",
            "Why: no Docker engine answers.",
            "What helps: start Docker.",
        ),
        failed=False,
    )


def test_one_skip_is_one_test() -> None:
    assert summarize(1, MISSING, {}).lines[0] == "1 test skipped for want of a real Kafka."


def test_skips_fail_where_kafka_is_required() -> None:
    summary = summarize(12, MISSING, {"KCHAT_REQUIRE_KAFKA": "1"})
    assert summary.failed
    assert summary.lines[-1] == "This is a failure: KCHAT_REQUIRE_KAFKA=1 requires them to run."


def test_skips_with_a_kafka_at_hand_point_to_their_reasons() -> None:
    assert summarize(2, None, {}).lines[1] == "Why: see each skip above."


def test_only_1_requires() -> None:
    assert kafka_required({"KCHAT_REQUIRE_KAFKA": "1"})
    assert not kafka_required({"KCHAT_REQUIRE_KAFKA": "0"})
    assert not kafka_required({})
