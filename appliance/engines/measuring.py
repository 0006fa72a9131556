"""In: a request on standard input (JSON), what measures it. Out: its results on standard output, a JSON line each.

The far end of `appliance.bench.measuring`, for programs that measure a part of an engine in a process of its own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from appliance.errors import ApplianceError


def answer(results: Callable[[dict[str, Any]], Iterator[dict[str, Any]]]) -> int:
    """The process's exit code: 1 where an ApplianceError ended it, whose sentence is the last line then."""
    try:
        for result in results(json.load(sys.stdin)):
            sys.stdout.write(json.dumps(result) + "\n")
            sys.stdout.flush()
    except ApplianceError as error:
        sys.stdout.write(json.dumps({"error": error.message}) + "\n")
        return 1
    return 0
