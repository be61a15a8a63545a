"""Finds the workloads: whoever adds a module to `bench.workloads` has added a row."""

import importlib
import pkgutil
from collections.abc import Collection

import bench.workloads
from bench.workload import Workload


def workloads(only: Collection[int] = ()) -> list[Workload]:
    """All of them, or those with these numbers, in the order of their numbers."""
    names = sorted(module.name for module in pkgutil.iter_modules(bench.workloads.__path__))
    modules = (importlib.import_module(f"bench.workloads.{name}") for name in names if name.startswith("w"))
    found: list[Workload] = [module.WORKLOAD for module in modules if hasattr(module, "WORKLOAD")]
    return sorted((each for each in found if not only or each.number in only), key=lambda each: each.number)
