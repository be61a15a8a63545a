"""Test tools: a Kafka in memory, faults as data, and the suite that every log must pass.

`FakeBroker` and the faults need nothing but kchat. `kchat.testing.strategies` needs Hypothesis,
`kchat.testing.conformance` needs pytest: both are in the extra `kchat[testing]`.
"""

from kchat.testing.broker import COMMANDS_MAX, NOT_MODELLED, FakeBroker
from kchat.testing.cluster import EPOCH_MS, FakeCluster
from kchat.testing.faults import (
    Delay,
    Expire,
    FalseLow,
    Fault,
    FaultPlan,
    Foreign,
    Gap,
    LostAnswer,
    NoAnswer,
    PartlyStored,
    Recreate,
    Refuse,
    Remove,
    ShortFetch,
    TakenAlong,
)
from kchat.testing.partition import FakePartition, FakeTopic

__all__ = [
    "COMMANDS_MAX",
    "EPOCH_MS",
    "NOT_MODELLED",
    "Delay",
    "Expire",
    "FakeBroker",
    "FakeCluster",
    "FakePartition",
    "FakeTopic",
    "FalseLow",
    "Fault",
    "FaultPlan",
    "Foreign",
    "Gap",
    "LostAnswer",
    "NoAnswer",
    "PartlyStored",
    "Recreate",
    "Refuse",
    "Remove",
    "ShortFetch",
    "TakenAlong",
]
