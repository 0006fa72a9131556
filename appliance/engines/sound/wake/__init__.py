"""In: settings and wake models. Out: the wake engine that runs, or None where there is to be none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from appliance.engines.sound.wake.protocol import WakeEngine
from appliance.wire.child import ModelFile

if TYPE_CHECKING:
    from appliance.settings.sound import WakeSettings

__all__ = ["WakeEngine", "open_engine"]


def open_engine(settings: WakeSettings, models: Sequence[ModelFile]) -> WakeEngine | None:
    """The engine that `settings` name. Raises WakeError with one sentence where it cannot run."""
    if settings.engine == "none" or not settings.words:
        return None
    if settings.engine == "porcupine":
        from appliance.engines.sound.wake.porcupine import Porcupine

        return Porcupine(settings)
    from appliance.engines.sound.wake.microwakeword import MicroWakeWord

    return MicroWakeWord(settings, models)
