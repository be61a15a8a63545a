"""What a test run says at its end when no real Kafka was there, so that nobody takes it for tested."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.brokers.choice import Missing

REQUIRE_VARIABLE = "KCHAT_REQUIRE_KAFKA"


@frozen
class Summary:
    """Lines to print, and whether the run fails for it."""

    lines: tuple[str, ...] = ()
    failed: bool = False


def kafka_required(environ: Mapping[str, str]) -> bool:
    return environ.get(REQUIRE_VARIABLE, "") == "1"


def summarize(skipped: int, missing: Missing | None, environ: Mapping[str, str]) -> Summary:
    """Tell of the tests that needed a real Kafka and were skipped.

    Args:
        skipped: how many tests.
        missing: why there was none; None when there was one, and the skips have their own reasons.
        environ: `KCHAT_REQUIRE_KAFKA=1` makes a skip a failure.
    """
    if skipped == 0:
        return Summary()
    failed = kafka_required(environ)
    tests = "1 test" if skipped == 1 else f"{skipped} tests"
    lines = [f"{tests} skipped for want of a real Kafka."]
    if missing is None:
        lines.append("Why: see each skip above.")
    else:
        lines += [f"Why: {missing.reason}.", f"What helps: {missing.remedy}."]
    if failed:
        lines.append(f"This is a failure: {REQUIRE_VARIABLE}=1 requires them to run.")
    return Summary(tuple(lines), failed)
