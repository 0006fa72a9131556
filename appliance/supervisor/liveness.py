"""In: something a child should say. Out: whether it said it before it was really silent for too long."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from appliance.supervisor.patience import Patience
from appliance.supervisor.schedstat import threads

log = logging.getLogger(__name__)

TICK_S = 0.1
FINEST_S = 0.02
"""No look sooner than this: two timer ticks at 100 Hz."""
BLIND = 1 / 3
"""Of the limit, what passes before the first look, all of it silence. A healthy child answers sooner: it costs nothing."""


class LivenessProbe:
    """Waits for a child, on the child's time: hunger for a CPU is not silence (see `Patience`)."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    async def outlast(self, word: asyncio.Future[Any], limit_s: float) -> bool:
        """Waits until `word` is done, or the child was silent for `limit_s`; whether it is done. Leaves it as it is."""
        began_s = time.monotonic()
        patience = Patience(began_s)
        tick_s = limit_s * BLIND
        while True:
            await asyncio.wait((word,), timeout=tick_s)
            if word.done():
                return True
            patience.look(time.monotonic(), tick_s, threads(self._pid))
            left_s = limit_s - patience.silent_s
            if left_s <= 0.0:
                break
            tick_s = min(TICK_S, max(left_s, FINEST_S))
        log.info(
            "process %d: silent for %.1f s of %.1f s, %.1f s forgiven",
            self._pid, patience.silent_s, time.monotonic() - began_s, patience.forgiven_s,
        )  # fmt: skip
        return False
