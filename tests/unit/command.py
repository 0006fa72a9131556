"""In: a command module and its words. Out: its exit code, without the commands that it has nothing to do with."""

from __future__ import annotations

import argparse
from types import ModuleType


def call(module: ModuleType, *words: str, assignments: tuple[str, ...] = ()) -> int:
    """Runs `appliance MODULE WORDS --set …` in this process. Raises what the command raises."""
    parser = argparse.ArgumentParser()
    module.add(parser)
    args = parser.parse_args(words)
    args.config, args.assignments = None, list(assignments)
    code: int = module.run(args)
    return code
