"""A pytest plugin for runs on mutants (tools/mutants.py): few examples, the same ones every time.

A verdict must be the same on every run, so nothing is drawn at random and nothing is kept between runs.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, is_hypothesis_test, settings

settings.register_profile(
    "mutants",
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    # A mutant that is noticed is dead: the case need not be made small.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("mutants")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Plain tests first: a run ends at the first failure, and they take a hundredth of the time."""
    items.sort(key=lambda item: is_hypothesis_test(getattr(item, "obj", None)))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(exitstatus: int) -> None:
    """A run that did not start proves nothing. mutmut would count it as a kill; this code says "not run"."""
    if exitstatus == pytest.ExitCode.USAGE_ERROR and "__mutmut_" in os.environ.get("MUTANT_UNDER_TEST", ""):
        os._exit(pytest.ExitCode.INTERRUPTED)
