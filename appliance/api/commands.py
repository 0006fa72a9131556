"""In: the running device. Out: what telemetry may read of it and ask of it (telemetry.device: Source and Hands)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from appliance import __version__
from appliance.conversation.context import Trigger
from appliance.errors import EngineError, UsageError
from appliance.events import Hearing
from appliance.telemetry.device import EngineFacts

if TYPE_CHECKING:
    from appliance.app import Appliance


class DeviceSource:
    """Facts of the device."""

    def __init__(self, appliance: Appliance) -> None:
        self._appliance = appliance

    def engines(self) -> Mapping[str, EngineFacts]:
        ear = self._appliance.ear
        return {
            child.name: EngineFacts(
                ready=child.ready,
                engine=child.about.engine if child.about else None,
                model=child.about.model if child.about else None,
                restarts=child.restarts,
                breaker_open=child.breaker_open,
                last_failure=child.last_failure,
                pid=child.pid,
                counters=ear.counters if child.name == "sound" else child.counters,
            )
            for child in self._appliance.children
        }

    def hearing(self) -> tuple[Hearing, str | None]:
        return self._appliance.ear.hearing, self._appliance.ear.deaf_reason

    def muted(self) -> bool:
        return self._appliance.ear.muted

    def volume_percent(self) -> int:
        return self._appliance.agent.levels.percent("reply")

    def startup_s(self) -> float | None:
        return self._appliance.ready_s

    def led_ms(self) -> Sequence[float]:
        lamp = self._appliance.panel.lamp
        return () if lamp is None else tuple(lamp.delays_ms)

    def intent_lookups(self) -> tuple[int, int]:
        return self._appliance.agent.meanings.lookups

    def dropped(self) -> Mapping[str, int]:
        return self._appliance.bus.dropped() | {"listening": self._appliance.ear.dropped_blocks}

    def about(self) -> Mapping[str, Any]:
        settings, models = self._appliance.settings, self._appliance.models
        found = [model for model in (models.stt, models.tts, models.vad, *models.wake) if model is not None]
        return {
            "version": __version__,
            "name": settings.device.name,
            "area": settings.device.area,
            "language": settings.device.language,
            "wake_words": list(settings.wake.words),
            "models": {model.name: {"kind": model.kind, "sha256": model.sha256} for model in found},
        }


class RemoteCommands:
    """What can be asked of the device from afar."""

    def __init__(self, appliance: Appliance) -> None:
        self._appliance = appliance
        self.brightness: Callable[[int], Awaitable[None]] | None = None
        """Sets the LEDs' brightness, 0..100 percent; the panel offers it, where there is one."""

    async def say(self, text: str, chime: bool, volume_percent: int | None) -> None:
        await self._appliance.conversation.announce(text, chime, volume_percent)

    async def listen(self) -> None:
        self._appliance.conversation.open(Trigger("command"))

    async def stop(self) -> bool:
        return self._appliance.conversation.stop()

    async def mute(self, muted: bool) -> None:
        await self._appliance.agent.set_mute(muted)

    async def set_volume(self, percent: int) -> None:
        await self._appliance.agent.set_volume(percent)

    async def set_brightness(self, percent: int) -> None:
        if self.brightness is None:
            raise UsageError("no-leds", "This device has no LEDs to dim.")
        await self.brightness(percent)

    async def start_timer(self, seconds: float, name: str | None) -> str:
        try:
            return self._appliance.agent.timers.start(seconds, name).id
        except ValueError as error:
            raise UsageError("no-timer", "One timer more cannot be started.") from error

    async def cancel_timer(self, timer: str | None) -> int:
        timers = self._appliance.agent.timers
        wanted = [timer] if timer is not None else [each.id for each in timers.all()]
        try:
            for name in wanted:
                timers.cancel(name)
        except KeyError as error:
            raise UsageError("no-timer", f"There is no timer {timer}.") from error
        return len(wanted)

    async def self_test(self) -> Mapping[str, Any]:
        """Engines answer, the ear hears (frames advance while we look), telemetry's alerts."""
        appliance = self._appliance
        frames = appliance.ear.counters.get("frames", 0.0)
        await asyncio.sleep(2 * appliance.settings.supervisor.heartbeat_s + 0.2)
        checks: dict[str, Any] = {f"engine_{child.name}": child.ready for child in appliance.children}
        checks["hears"] = appliance.ear.hearing is Hearing.HEARING
        checks["frames_advance"] = appliance.ear.counters.get("frames", 0.0) > frames
        checks["alerts"] = sorted(appliance.telemetry.alerts.holding())
        return checks

    async def restart_engine(self, engine: str) -> None:
        child = next(child for child in self._appliance.children if child.name == engine)
        child.suspect(EngineError("asked", "Somebody asked for a restart.", engine))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2.0):
                while child.ready:  # noqa: ASYNC110 - at most two seconds, at the end or once
                    await asyncio.sleep(0.05)
        if not await child.wait_ready(self._appliance.settings.supervisor.start_s):
            raise EngineError("not-ready", f"The {engine} engine did not come back.", engine)

    async def set_log_level(self, level: str) -> None:
        logging.getLogger().setLevel(level)
