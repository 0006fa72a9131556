"""In: the happenings on the device. Out: messages, alerts and metrics for everyone outside; commands from there.

`run` is all of it, as one task of the app's. It never holds up the conversation: it only watches the bus, looks at the
machine on a thread and hands messages to a connection that does not block.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from pathlib import Path
from typing import Any

from appliance.errors import SettingsError
from appliance.events import (
    Bus,
    DeviceEvent,
    HearingChanged,
    StateChanged,
    TurnEnded,
    TurnStarted,
    VolumeChanged,
    WakeDetected,
)
from appliance.settings.device import DeviceSettings
from appliance.settings.telemetry import TelemetrySettings
from appliance.telemetry.arbitration.arbiter import Lost
from appliance.telemetry.arbitration.claims import Claims
from appliance.telemetry.commands.commander import Commander
from appliance.telemetry.device import CommandTarget, House, Source
from appliance.telemetry.metrics import board_sensors as board
from appliance.telemetry.metrics.alerts import Alerts
from appliance.telemetry.metrics.measures import Look, Looker, Measures, pids
from appliance.telemetry.metrics.windows import Turns
from appliance.telemetry.mqtt.delivery import OFFLINE, Delivery
from appliance.telemetry.mqtt.dial import Will
from appliance.telemetry.mqtt.home_names import Names
from appliance.telemetry.mqtt.home_server import HomeServer
from appliance.telemetry.mqtt.link import Link
from appliance.telemetry.mqtt.messages import event_of, metrics_body, turn_body
from appliance.telemetry.mqtt.outbox import Keep, Outbox
from appliance.telemetry.mqtt.reception import Reception
from appliance.telemetry.mqtt.shown import Shown
from appliance.telemetry.mqtt.topics import Topics
from appliance.telemetry.standing import WATCHED, standing

log = logging.getLogger(__name__)

FLUSH_S = 1.5
"""At the end, what waits has this long to go out."""
NEAR_MISSES_PER_MINUTE = 6


class Telemetry:
    """The device's voice to the outside. Made by the app; `run` until cancelled."""

    def __init__(
        self, settings: TelemetrySettings, device: DeviceSettings, bus: Bus, source: Source,
        target: CommandTarget, house: House, roots: board.Roots | None = None,
    ) -> None:  # fmt: skip
        mqtt = settings.mqtt
        if device.id == "home":
            raise SettingsError("bad-id", "device.id: 'home' is the home server's own name on MQTT; choose another.")
        self.settings = settings
        self.topics = Topics(mqtt.prefix, device.id, mqtt.discovery_prefix)
        self.run_id = secrets.token_hex(4)
        will = Will(self.topics.of("availability"), OFFLINE)
        self.link = Link(mqtt, device.id, f"{mqtt.prefix.replace('/', '-')}-{device.id}-{self.run_id}", will)
        outbox = Outbox(mqtt.kept_messages, mqtt.kept_kb * 1000, self.run_id)
        self.delivery = Delivery(self.link, outbox, Keep(Path(device.state_dir) / "outbox.sqlite"), self.topics)
        self.turns = Turns(settings.window_turns)
        self.alerts = Alerts(WATCHED)
        self.measures = Measures(self.turns)
        self.values: dict[str, float | None] = {}
        """The newest value of every watched measure, by budget name."""
        self.look: Look | None = None
        self.commands = Commander(
            target, mqtt.commands_per_second, lambda *told: self.reception.answer(*told), lambda: self.names.refresh()
        )
        self.home = HomeServer(self.delivery, mqtt.home_deadline_s, house.home_served)
        self.names = Names(house, self.link, self.topics.home_names)
        self.claims = Claims(device.id, self.delivery, house, self._lost_wake)
        self.reception = Reception(
            self.link,
            self.delivery,
            self.commands,
            self.home,
            self.names,
            self.claims,
            mqtt.arbitrate,
            self.alerts.holding,
        )
        self._source = source
        self._shown = Shown(device, source, self.turns, self.alerts, self.delivery, self.link.cost)
        self._watch = bus.subscribe("telemetry", 512)
        self._looker = Looker(roots or board.Roots(disk=device.state_dir), settings.memory_interval_s)
        self._roots = roots or board.Roots()
        self._turning = False
        self._near: list[float] = []

    # -- life -----------------------------------------------------------------------------------------------------

    @property
    def hears_broker(self) -> bool | None:
        """Whether our own birth came back from the broker; None while that is not known."""
        return self.reception.hears_broker

    @property
    def connects(self) -> bool:
        """Whether there is a broker to talk to."""
        return self.settings.mqtt.host is not None

    async def run(self) -> None:
        """Watches and tells until cancelled; then sends what waits, within FLUSH_S."""
        tasks = [asyncio.create_task(self._follow(), name="telemetry-follow")]
        if self.connects:
            await self.delivery.load()
            tasks.append(asyncio.create_task(self.link.run(), name="mqtt"))
            tasks.append(asyncio.create_task(self.delivery.run(), name="outbox"))
        tasks.append(asyncio.create_task(self._measure(), name="telemetry-measure"))
        try:
            self._shown.facts(self.run_id, self._roots, self.settings.mqtt.discovery)
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await self._end(tasks)

    async def _end(self, tasks: list[asyncio.Task[None]]) -> None:
        self.commands.close()
        self.reception.close()
        self._shown.close()
        for event in self._watch.waiting():
            self._take(event)
        if self.connects:
            await self.delivery.close(FLUSH_S)
        for task in (*tasks, *self.names.tasks):
            task.cancel()
        await asyncio.gather(*tasks, *self.names.tasks, return_exceptions=True)

    async def _follow(self) -> None:
        async for event in self._watch:
            with self.link.cost:
                self._take(event)

    async def _measure(self) -> None:
        """Looks at the machine once an interval."""
        before_s = time.monotonic()
        while True:
            look = await asyncio.to_thread(self._looker.look, pids(self._source.engines()))
            with self.link.cost:
                self._judge(look, before_s)
            before_s = look.at_s
            self.link.cost.add(look.cost_s)
            await asyncio.sleep(self.settings.metrics_interval_s)

    # -- what happens on the device -------------------------------------------------------------------------------

    def _take(self, event: DeviceEvent) -> None:
        match event:
            case StateChanged():
                self._shown.changed(event)
            case TurnStarted():
                self._turning = True
                self.claims.started(event)
            case TurnEnded():
                self._turning = False
                self.claims.ended()
                self.measures.voice_until_s = event.at_s
                self.turns.add(event.record)
                self._queue("turn", "turn", turn_body(event.record, self.settings.transcripts))
                self._shown.state_soon()
            case HearingChanged():
                self.measures.hears(event.hearing, event.at_s)
                self._shown.state_soon()
            case VolumeChanged():
                self._shown.state_soon()
            case WakeDetected() if self.settings.mqtt.arbitrate:
                self.claims.heard(event)
        if (told := event_of(event)) is not None and self._worth_telling(told[0], event):
            self._queue("button" if told[0] == "button" else "event", f"event/{told[0]}", told[1])
            self._shown.state_soon()

    def _worth_telling(self, name: str, event: DeviceEvent) -> bool:
        """Near misses come in swarms when the television runs: some a minute say it as well."""
        if name != "near_miss":
            return True
        self._near = [at_s for at_s in self._near if event.at_s - at_s < 60.0]
        if len(self._near) >= NEAR_MISSES_PER_MINUTE:
            return False
        self._near.append(event.at_s)
        return True

    def _queue(self, kind: str, name: str, body: dict[str, Any], retain: bool = False, cleared: bool = False) -> None:
        if self.connects:
            entry = self.delivery.queue(kind, name, body, retain, cleared)
            if retain:
                self.delivery.hold(entry)

    # -- budgets --------------------------------------------------------------------------------------------------

    def _judge(self, look: Look, before_s: float) -> None:
        self.look = look
        if self._turning:
            self.measures.voice_until_s = look.at_s
        link, dropped = self.link, sum(self.delivery.outbox.dropped.values())
        traffic = link.traffic.received + link.traffic.sent
        self.values = self.measures.values(look, before_s, self._source, traffic, dropped, link.cost.seconds)
        self.values["agreed_ms"] = self.claims.usual_ms
        for change in self.alerts.look(self.values):
            if change.alert is None:
                log.info("alert %s: healed", change.name)
                self._queue("alert", f"alert/{change.name}", {}, retain=True, cleared=True)
            else:
                alert = change.alert
                log.warning("alert %s %s: %g %s", alert.severity, change.name, alert.value, alert.budget.unit)
                self._queue("alert", f"alert/{change.name}", alert.body(), retain=True)
            self._shown.state_soon()
        extra = {
            "interval_s": self.settings.metrics_interval_s,
            "mqtt": self.reception.traffic(),
            "yielded": self.claims.yielded,
        }
        self._queue("metrics", "metrics", metrics_body(self._source, look, self.turns, self.values, extra))

    def health(self) -> dict[str, Any]:
        """The one source for `appliance status`, the health endpoint and people: verdicts, alerts, connection."""
        said = standing(self._source, self.alerts, self.values, self.turns, self.look)
        mqtt = {"wanted": self.connects, "trouble": self.link.trouble, "hears_broker": self.reception.hears_broker}
        return {**said, "mqtt": {**mqtt, **self.reception.traffic()}}

    def _lost_wake(self, lost: Lost) -> None:
        body = {"event_type": "yield", "wake_word": lost.wake_word, "winner": lost.winner}
        self._queue("event", "event/yield", {**body, "after_ms": round(lost.after_ms, 1)})
