from bench.import_times import BOUNDARY, Own, parsed

SAID = f"""\
import time: self [us] | cumulative | imported package
import time:       900 |        900 |   langchain_core
import time:      1000 |       1900 | kchat.before
{BOUNDARY}
a warning that has nothing to do with it
import time:        20 |         20 |     attr._make
import time:        30 |         50 |   attr
import time:        10 |         10 |   kchat.core
import time:         5 |         65 | kchat.langchain
"""


def test_what_comes_behind_the_boundary_is_summed_by_package() -> None:
    assert parsed(SAID) == [Own("attr", 50, 2), Own("kchat", 15, 2)]


def test_without_a_boundary_nothing_is_known() -> None:
    assert parsed("import time:       900 |        900 |   langchain_core\n") == []
