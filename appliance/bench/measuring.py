"""In: what is to be measured, the engine's measuring program. Out: its answers, a dictionary a recording.

Native libraries run in a process of their own: `python -m PROGRAM` takes one JSON on standard input and gives a JSON line
a recording (`appliance.engines.measuring` is its end).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from typing import Any

from appliance.errors import StageError


def measured(
    program: str, request: dict[str, Any], most_s: float, what: str, failure: type[StageError]
) -> list[dict[str, Any]]:
    """The answers of `program`, which measures `what` (as a sentence names it) and gets `most_s` for it. Blocks.

    Raises `failure` with the program's own sentence or the last line of its log.
    """
    with tempfile.TemporaryFile() as log:
        try:
            done = subprocess.run(
                [sys.executable, "-m", program],
                input=json.dumps(request).encode(),
                stdout=subprocess.PIPE,
                stderr=log,
                timeout=most_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise failure("measure-hung", f"The {what} was not done after {most_s:.0f} s.") from error
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        if done.returncode == 0:
            return lines
        log.seek(0)
        said = log.read().decode(errors="replace").strip().splitlines()
    reason = lines[-1].get("error") if lines else None
    raise failure("measure-failed", reason or f"The {what} failed: {said[-1] if said else done.returncode}.")
