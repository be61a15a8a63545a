"""How a child hands over its figures."""

import json
import sys
from collections.abc import Mapping
from typing import Any


def tell(figures: Mapping[str, Any]) -> None:
    """Print them on a line, the last one that the child prints."""
    sys.stdout.write(f"\n{json.dumps(figures)}\n")
