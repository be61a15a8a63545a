"""The suite fails a log that breaks the contract, and says what it could not test."""

import pytest

# In processes of their own: deep in pytest's stack Python 3.11 maps and unmaps memory at each call of a loop
# that happens to lie on the border of two chunks of its frames, and a run of 4 s took 30 (measured).
pytest_plugins = ["pytester"]

BROKEN_LOG = """
    import pytest
    from attrs import evolve
    from kchat.testing import FakeBroker
    from kchat.testing.conformance import LogConformance

    class Broken(FakeBroker):
        def read(self, request):
            outcome = super().read(request)
            deliveries = outcome.progress.deliveries
            return evolve(outcome, progress=evolve(outcome.progress, deliveries={read}))

        def append(self, request):
            return super().append({append})

    class TestBroken(LogConformance):
        @pytest.fixture
        def log(self):
            return Broken()

        @pytest.fixture
        def schedule(self, log):
            return lambda after_ms, action: log.cluster.at(log.cluster.now_ms + after_ms, action)
"""


def source(read: str = "deliveries", append: str = "request") -> str:
    return BROKEN_LOG.format(read=read, append=append)


def test_a_log_that_keeps_the_contract_passes_and_the_rest_is_skipped_in_words(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(source())
    ran = pytester.runpytest_subprocess("-rs", "-p", "no:cacheprovider")
    counts = ran.parseoutcomes()
    assert "failed" not in counts
    assert counts["passed"] > 150
    ran.stdout.fnmatch_lines(["*give the fixture `another_log`*"])


@pytest.mark.parametrize(
    "broken",
    [
        source(read="deliveries[:-1]"),
        source(read="deliveries[::-1]"),
        source(read="deliveries + deliveries[-1:]"),
        source(read="tuple(evolve(one, offset=one.offset + 1) for one in deliveries)"),
        source(append="evolve(request, records=request.records[::-1])"),
        source(append="evolve(request, records=request.records[1:])"),
        source(append="evolve(request, partition=None)"),
    ],
    ids=["loses", "reverses", "repeats", "misplaces", "stores reversed", "stores less", "partition ignored"],
)
def test_a_log_that_breaks_the_contract_fails(pytester: pytest.Pytester, broken: str) -> None:
    pytester.makepyfile(broken)
    counts = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider", "--tb=no").parseoutcomes()
    assert counts["failed"] >= 2, "in both faces"


FORGOTTEN_LOG = """
    from kchat.testing.conformance import LogConformance

    class TestForgotten(LogConformance):
        pass
"""


def test_a_suite_without_a_log_is_an_error_in_words_and_no_skip(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FORGOTTEN_LOG)
    ran = pytester.runpytest_subprocess("-q", "-x", "-p", "no:cacheprovider", "--tb=short")
    assert ran.parseoutcomes() == {"errors": 1}
    ran.stdout.fnmatch_lines(["*override the fixture `log`*"])
