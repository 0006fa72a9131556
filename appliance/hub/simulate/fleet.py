"""In: how many devices, how often, how many sick. Out: all of them at the broker, a few processes for thousands."""

from __future__ import annotations

import contextlib
import heapq
import json
import multiprocessing
import os
import random
import resource
import selectors
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from appliance.errors import ApplianceError
from appliance.events import NearMiss, State
from appliance.hub.reception.url import BrokerUrl
from appliance.hub.simulate.client import Client
from appliance.hub.simulate.device import Fault, SimulatedDevice
from appliance.telemetry.mqtt.messages import event_of

PER_PROCESS = 2500
DIALS_PER_S = 400
"""New connections a second and process: a broker's accept queue is short."""
MISC_S = 5.0
FLOOD_HZ = 100.0
SILENT_AFTER_S = 12.0
TURN_S = 1.5


class SimulationError(ApplianceError):
    """The fleet could not be simulated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is simulated."""

    devices: int
    rate_hz: float
    """Metrics a second and device."""
    turns_hz: float
    """Turns a second and device."""
    seconds: float
    """0: until interrupted."""
    faults: int = 0
    """So many of the devices, from the first on, are sick; of every kind in turn."""
    first: int = 0
    seed: int = 1
    prefix: str = "appliance"

    def fault(self, number: int) -> Fault | None:
        """Of the device with this number."""
        place = number - self.first
        return list(Fault)[place % len(Fault)] if place < self.faults else None


@dataclass(order=True, slots=True)
class _Due:
    at_s: float
    number: int
    work: Callable[[], float | None] = field(compare=False)
    """Done at `at_s`; gives the seconds until the next time, None for never again."""


class _Loop:
    """One process's devices. Real sockets, one selector, one heap of what is due."""

    def __init__(self, url: BrokerUrl, plan: Plan) -> None:
        self.sent: Counter[str] = Counter()
        self._plan = plan
        self._dice = random.Random(plan.seed * 1_000_003 + plan.first)
        self._selector = selectors.DefaultSelector()
        self._due: list[_Due] = []
        self._count = 0
        self._stop = False
        self._clients: list[Client] = []
        for number in range(plan.first, plan.first + plan.devices):
            fault = plan.fault(number)
            for _ in range(2 if fault is Fault.DUPLICATE_ID else 1):
                device = SimulatedDevice(f"sim-{number:05d}", random.Random(self._dice.getrandbits(64)), fault)
                self._clients.append(Client(device, url, plan.prefix, self.sent))

    def run(self) -> None:
        signal.signal(signal.SIGTERM, self._stopped)
        signal.signal(signal.SIGINT, self._stopped)
        began_s = time.monotonic()
        for place, client in enumerate(self._clients):
            self._at(began_s + place / DIALS_PER_S, lambda client=client: self._dial(client))  # type: ignore[misc]
        while not self._stop and (not self._plan.seconds or time.monotonic() - began_s < self._plan.seconds):
            self._once()
        for client in self._clients:
            client.goodbye()
        end_s = time.monotonic() + 2.0
        while time.monotonic() < end_s and any(client.paho.want_write() for client in self._clients):
            self._read(0.02)

    def _stopped(self, *_: object) -> None:
        self._stop = True

    def _at(self, at_s: float, work: Callable[[], float | None]) -> None:
        self._count += 1
        heapq.heappush(self._due, _Due(at_s, self._count, work))

    def _once(self) -> None:
        now_s = time.monotonic()
        done = 0
        while self._due and self._due[0].at_s <= now_s and done < 200:
            due = heapq.heappop(self._due)
            again_s = due.work()
            if again_s is not None:
                self._at(max(due.at_s + again_s, now_s - 1.0), due.work)
            done += 1
        wait_s = max(0.0, self._due[0].at_s - time.monotonic()) if self._due else 0.1
        self._read(min(wait_s, 0.1))

    def _read(self, wait_s: float) -> None:
        for key, events in self._selector.select(wait_s):
            client: Client = key.data
            if events & selectors.EVENT_READ:
                client.paho.loop_read()
            if events & selectors.EVENT_WRITE:
                client.paho.loop_write()

    # -- one device -----------------------------------------------------------------------------------------------

    def _dial(self, client: Client) -> float | None:
        """Connects; a broker that is away is dialled again, with jitter."""
        client.paho.on_socket_open = lambda _c, _u, sock: self._register(sock, selectors.EVENT_READ, client)
        client.paho.on_socket_close = lambda _c, _u, sock: self._closed(sock, client)
        client.paho.on_socket_register_write = lambda _c, _u, sock: self._register(
            sock, selectors.EVENT_READ | selectors.EVENT_WRITE, client
        )
        client.paho.on_socket_unregister_write = lambda _c, _u, sock: self._register(sock, selectors.EVENT_READ, client)
        try:
            client.dial()
        except OSError:
            self.sent["failed connections"] += 1
            return self._dice.uniform(1.0, 5.0)
        if not client.lives:
            self._live(client)
        return None

    def _register(self, sock: object, events: int, client: Client) -> None:
        try:
            self._selector.modify(sock, events, client)  # type: ignore[arg-type]
        except KeyError:
            self._selector.register(sock, events, client)  # type: ignore[arg-type]

    def _closed(self, sock: object, client: Client) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(sock)  # type: ignore[arg-type]
        client.connected = False
        if not self._stop:
            self._at(time.monotonic() + self._dice.uniform(1.0, 5.0), lambda: self._dial(client))

    def _live(self, client: Client) -> None:
        """What this device does from now on, by the plan; the first time at a moment of its own."""
        client.lives = True
        now_s, plan = time.monotonic(), self._plan
        client.device.born_s = now_s
        interval_s = 1.0 / plan.rate_hz
        self._at(now_s + self._dice.uniform(0.05, interval_s), lambda: self._metrics(client, interval_s))
        if plan.turns_hz:
            self._at(now_s + self._dice.expovariate(plan.turns_hz), lambda: self._turn(client))
        self._at(now_s + self._dice.uniform(0.0, MISC_S), lambda: self._misc(client))
        if client.device.fault is Fault.FLOODING:
            self._at(now_s + 5.0, lambda: self._flood(client))

    def _misc(self, client: Client) -> float:
        client.paho.loop_misc()
        return MISC_S

    def _quiet(self, client: Client) -> bool:
        device = client.device
        return device.fault is Fault.SILENT and time.monotonic() - device.born_s > SILENT_AFTER_S

    def _metrics(self, client: Client, interval_s: float) -> float:
        if client.connected and not self._quiet(client):
            body, alerts = client.device.metrics(interval_s)
            client.publish("metrics", "metrics", body)
            for name, alert in alerts:
                client.publish("alert", f"alert/{name}", alert, retain=True)
            if alerts:
                client.publish("state", "state", client.device.state(), retain=True)
        return interval_s

    def _turn(self, client: Client) -> float:
        if client.connected and not self._quiet(client):
            client.publish("state", "state", client.device.state((State.LISTENING, State.IDLE)), retain=True)
            self._at(time.monotonic() + TURN_S, lambda: self._answered(client))
        return TURN_S + self._dice.expovariate(self._plan.turns_hz)

    def _answered(self, client: Client) -> None:
        if client.connected and not self._quiet(client):
            client.publish("turn", "turn", client.device.turn())
            client.publish("state", "state", client.device.state(), retain=True)

    def _flood(self, client: Client) -> float:
        if client.connected:
            name, body = event_of(NearMiss(wake_word="okay_nabu", score=0.4)) or ("near_miss", {})
            client.publish("flood", f"event/{name}", {**client.device.stamp(), **body})
        return 1.0 / FLOOD_HZ


def _child(url: BrokerUrl, plan: Plan, tell: int) -> None:
    """A process of its own: writes what it sent, as JSON, to the pipe `tell`."""
    loop = _Loop(url, plan)
    loop.run()
    with os.fdopen(tell, "w") as pipe:
        json.dump(loop.sent, pipe)


def simulate(url: BrokerUrl, plan: Plan) -> dict[str, int]:
    """Runs the fleet for its time or until interrupted; blocks. Gives what the broker took, by kind of message."""
    if plan.devices < 1 or plan.rate_hz <= 0 or plan.turns_hz < 0 or plan.seconds < 0 or plan.faults < 0:
        raise SimulationError("bad-plan", "A fleet has at least one device, and its rates are positive.")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(plan.devices, PER_PROCESS) * 2 + 100
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SimulationError("few-files", f"{wanted} open files are needed, and {hard} are allowed (ulimit -n).")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if plan.devices <= PER_PROCESS:
        loop = _Loop(url, plan)
        print(f"simulating {plan.devices} devices", file=sys.stderr, flush=True)  # noqa: T201 - a command's own word
        loop.run()
        return dict(loop.sent)
    context = multiprocessing.get_context("fork")  # no threads run yet, and a child holds nothing but its own devices
    running, total = [], Counter[str]()
    for first in range(0, plan.devices, PER_PROCESS):
        part = replace(plan, devices=min(PER_PROCESS, plan.devices - first), first=plan.first + first,
                       faults=max(0, min(PER_PROCESS, plan.faults - first)))  # fmt: skip
        read, write = os.pipe()
        process = context.Process(target=_child, args=(url, part, write))
        process.start()
        os.close(write)
        running.append((process, read))
    for process, read in running:
        while True:
            try:
                with os.fdopen(os.dup(read)) as pipe:
                    total.update(json.load(pipe))
                break
            except KeyboardInterrupt:
                continue  # the children were interrupted, too: they say goodbye and tell what they sent
            except ValueError:
                break
        process.join(5)
    return dict(total)
