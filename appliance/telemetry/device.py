"""In: nothing. Out: what telemetry must be told of the device and may ask of it; the app provides both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from appliance.events import Hearing


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """One child process, as the supervisor knows it."""

    ready: bool
    engine: str | None
    model: str | None
    restarts: int
    breaker_open: bool
    last_failure: str | None
    pid: int | None
    counters: Mapping[str, float]


class Source(Protocol):
    """What can be read of the device. Nothing here blocks; all of it is for the event loop's thread."""

    def engines(self) -> Mapping[str, EngineFacts]:
        """By name: sound, stt, tts."""

    def hearing(self) -> tuple[Hearing, str | None]:
        """Whether audio arrives, and why not."""

    def muted(self) -> bool: ...

    def volume_percent(self) -> int: ...

    def startup_s(self) -> float | None:
        """From exec to ready; None while it starts."""

    def led_ms(self) -> Sequence[float]:
        """From a wake word to the first lit frame, of the last wake words; empty without LEDs."""

    def intent_lookups(self) -> tuple[int, int]:
        """Texts whose meaning was known from before, and all that were asked for."""

    def dropped(self) -> Mapping[str, int]:
        """Happenings and blocks dropped, by queue."""

    def about(self) -> Mapping[str, Any]:
        """Version, language, area, name, models with their hashes: what `info` says."""


class CommandTarget(Protocol):
    """What can be asked of the device by MQTT. Raise ApplianceError with a sentence for what cannot be done."""

    async def say(self, text: str, chime: bool, volume_percent: int | None) -> None:
        """Speaks a text and returns when it was spoken."""

    async def listen(self) -> None:
        """Opens a turn, as the button does."""

    async def stop(self) -> bool:
        """Stops speaking, listening or ringing; whether there was anything to stop."""

    async def mute(self, muted: bool) -> None: ...

    async def set_volume(self, percent: int) -> None: ...

    async def set_brightness(self, percent: int) -> None:
        """Of the LEDs."""

    async def start_timer(self, seconds: float, name: str | None) -> str:
        """The new timer's id."""

    async def cancel_timer(self, timer: str | None) -> int:
        """One by its id, or all; how many were cancelled."""

    async def self_test(self) -> Mapping[str, Any]:
        """Check → whether it is well."""

    async def restart_engine(self, engine: str) -> None: ...

    async def set_log_level(self, level: str) -> None: ...


class House(Protocol):
    """Where telemetry hands on what it hears from the home server and from the other devices."""

    async def home_named(self, tree: Any) -> None:
        """Areas and entities came. Raises ApplianceError where they cannot be used."""

    def home_served(self, served: bool) -> None:
        """The home server came or went."""

    def yield_turn(self, winner: str) -> None:
        """Another device heard the wake word better: stop listening silently."""
