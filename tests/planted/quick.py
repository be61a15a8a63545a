"""A pytest plugin for one planted copy: the right `kchat`, and few examples, the same ones every time."""

import os
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings

import kchat

SOURCE = Path(os.environ["KCHAT_PLANTED_SRC"])
if not Path(kchat.__file__).is_relative_to(SOURCE):
    raise RuntimeError(f"{kchat.__file__} would be tested, not the copy in {SOURCE}")

settings.register_profile(
    "planted",
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    # A bug that is found is found: it need not be made small.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("planted")
