"""In: timers that people start and change. Out: ringing on time, a restart survived, every change published.

A running timer counts on the monotonic clock, so that a corrected wall clock moves none; on disk it has a wall-clock
due time, because nothing else outlives a restart. One small file, replaced atomically, written only when something
changes: an SD card sees a handful of writes a day.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from appliance.actions.timer_record import LAST_WALL_S, LONGEST_S, Timer, restored, saved
from appliance.events import DeviceEvent, State, StateChanged, TimerChanged
from appliance.files import Damaged, number, recall, rows, set_aside, table, write_atomic

__all__ = ["LONGEST_S", "Clock", "Timer", "Timers"]

log = logging.getLogger(__name__)

MOST_TIMERS = 30
MOST_ROWS = 1000
"""Of the file; more is no file of ours."""
COMMAND_LATE_S = 120.0
"""A command that came due longer ago than this is told, not done: the heater is not turned on eight hours late."""
MISSED_AFTER_S = 900.0
"""A timer that came due longer ago than this while the device was off is dropped: a ring at night helps nobody."""
RESTORED_CHECK_S = 5.0
"""How often restored timers are held against the wall clock, which a device without a battery sets late after boot."""
SAVE_AGAIN_S = 10.0
"""How soon what could not be written is tried again."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Both clocks, in seconds; a test gives its own."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


@dataclass(slots=True)
class Timers:
    """All timers. Methods are quick and for the event loop's thread; `run` waits, rings and writes."""

    path: Path
    on_ring: Callable[[Timer], None]
    """Called when a timer becomes due, in the event loop; must not block. A timer with a `command` is gone by then."""
    publish: Callable[[DeviceEvent], None]
    clock: Clock = field(default_factory=Clock)
    ring_s: float = 600.0
    """Longest ringing, seconds."""
    on_missed: Callable[[Timer, str], None] = lambda timer, why: None
    """A timer that was 'missed' (due while the device was off) or rang 'unanswered'; must not block."""
    _timers: dict[str, Timer] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _loaded: bool = False
    unsaved: str | None = None
    """Why the last change is not on the disk; None where it is."""
    _dirty: bool = False
    _writing: threading.Lock = field(default_factory=threading.Lock)
    _next: int = 1
    _silent_s: dict[str, float] = field(default_factory=dict)
    """Monotonic time at which a ringing timer gives up."""
    _shown: set[State] = field(default_factory=set)

    # -- what can be asked ----------------------------------------------------------------------------------------

    def all(self) -> tuple[Timer, ...]:
        """Every timer, the next to ring first; paused ones last."""
        return tuple(sorted(self._timers.values(), key=lambda timer: (timer.paused, timer.due_s or 0.0, timer.left_s)))

    def ringing(self) -> tuple[Timer, ...]:
        """Those that ring now."""
        return tuple(timer for timer in self._timers.values() if timer.ringing)

    def remaining_s(self, timer: Timer) -> float:
        return timer.remaining_s(self.clock.monotonic())

    # -- what can be done -----------------------------------------------------------------------------------------

    def start(self, seconds: float, name: str | None = None, command: str | None = None) -> Timer:
        """A new timer of `seconds` (0 < seconds ≤ LONGEST_S). Raises ValueError beyond that or for one too many."""
        if not 0 < seconds <= LONGEST_S or len(self._timers) >= MOST_TIMERS:
            raise ValueError("No such timer can be started.")
        while f"t{self._next}" in self._timers:
            self._next += 1
        timer = Timer(f"t{self._next}", name, seconds, seconds, due_s=self.clock.monotonic() + seconds, command=command)
        self._next += 1
        self._put(timer, "started")
        return timer

    def add(self, timer: str, seconds: float) -> Timer:
        """Lengthens or (negative) shortens a timer; what is left stays above zero. Raises KeyError, ValueError."""
        found = self._timers[timer]
        left_s = self.remaining_s(found) + seconds
        if not 0 < left_s <= LONGEST_S:
            raise ValueError("A timer's time must stay above zero and below a day.")
        running = None if found.paused else self.clock.monotonic() + left_s
        changed = replace(
            found,
            due_s=running,
            left_s=left_s if running is None else 0.0,
            total_s=max(found.total_s + seconds, left_s),
            ringing=False,
            due_wall_s=None,
        )
        self._put(changed, "changed")
        return changed

    def pause(self, timer: str) -> None:
        """Stops the count; a ringing or paused one stays as it is. Raises KeyError."""
        found = self._timers[timer]
        if found.due_s is not None:
            self._put(replace(found, due_s=None, left_s=self.remaining_s(found), due_wall_s=None), "paused")

    def resume(self, timer: str) -> None:
        """Lets a paused one run on. Raises KeyError."""
        found = self._timers[timer]
        if found.paused:
            self._put(replace(found, due_s=self.clock.monotonic() + found.left_s, left_s=0.0), "resumed")

    def cancel(self, timer: str) -> None:
        """Removes one, ringing or not. Raises KeyError."""
        self._drop(self._timers[timer], "cancelled")

    def silence(self) -> bool:
        """Ends all ringing; whether anything rang."""
        ringing = self.ringing()
        for timer in ringing:
            self._drop(timer, "silenced")
        return bool(ringing)

    # -- the service ----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Loads, then rings and saves until it is cancelled; what is unsaved then is saved."""
        if not self._loaded:  # started again after an error: what is in memory is newer
            self.load()
            self._loaded = True
        try:
            while True:
                wait_s = self.tick()
                await asyncio.to_thread(self.save)
                if self.unsaved is not None:
                    wait_s = min(wait_s or SAVE_AGAIN_S, SAVE_AGAIN_S)
                try:
                    async with asyncio.timeout(wait_s):
                        await self._wake.wait()
                except TimeoutError:
                    pass
                self._wake.clear()
        finally:
            self.save()

    def tick(self) -> float | None:
        """Lets what is due ring; seconds until the next is due, None without any."""
        now_s, wall_s = self.clock.monotonic(), self.clock.wall()
        waits: list[float] = []
        for timer in self.all():  # in the order in which they come due
            if timer.ringing:
                waits.append(self._ring_on(timer, now_s))
                continue
            if timer.due_s is None:
                continue
            left_s = timer.due_s - now_s
            if timer.due_wall_s is not None:
                left_s = min(left_s, timer.due_wall_s - wall_s)
                waits.append(RESTORED_CHECK_S)
            if left_s <= 0:
                self._due(timer, -left_s)
            else:
                waits.append(left_s)
        return min(waits, default=None)

    def load(self) -> None:
        """Takes over the file. A missing one is empty; what is damaged is put aside, and the sound timers in it stay."""
        none: tuple[Timer, ...] = ()
        for timer in recall(self.path, self._restored, none):
            if timer.due_wall_s is not None and self.clock.wall() - timer.due_wall_s > _patience_s(timer):
                self._tell(timer, "missed")
                self._dirty = True
                self.on_missed(timer, "missed")
            else:
                self._timers[timer.id] = timer
                self._tell(timer, "restored")
        self._show()

    def _restored(self, tree: Any) -> tuple[Timer, ...]:
        written_s = number(table(tree).get("saved_wall_s"), 0.0, LAST_WALL_S)
        wall_s, now_s = self.clock.wall(), self.clock.monotonic()
        timers = {}
        lost: list[str] = []
        for item in rows(tree.get("timers"), MOST_ROWS):
            try:
                timer = restored(item, written_s, wall_s, now_s)
                timers[timer.id] = timer
            except Damaged as error:
                lost.append(str(error))
        if lost:
            set_aside(self.path, f"{len(lost)} of its timers: {lost[0]}")
            self._dirty = True
        return tuple(timers.values())[:MOST_TIMERS]

    def save(self) -> None:
        """Writes the file if something changed. Blocks; what a full disk refuses is told once and tried again."""
        with self._writing:
            if not self._dirty:
                return
            self._dirty = False
            try:
                self._write()
            except OSError as error:
                self._dirty = True
                if self.unsaved is None:
                    log.warning("The timers cannot be saved in %s: %s.", self.path, error.strerror)
                self.unsaved = f"Timers cannot be saved: {error.strerror}."
            else:
                self.unsaved = None

    # -- inside ---------------------------------------------------------------------------------------------------

    def _write(self) -> None:
        wall_s, now_s = self.clock.wall(), self.clock.monotonic()
        tree = {"saved_wall_s": wall_s, "timers": [saved(t, wall_s, now_s) for t in tuple(self._timers.values())]}
        write_atomic(self.path, json.dumps(tree))

    def _due(self, timer: Timer, late_s: float) -> None:
        """It rings; one of before a restart that is found late, because the clock was set only now, is told instead."""
        if timer.due_wall_s is not None and late_s > _patience_s(timer):
            self._drop(timer, "missed")
            self.on_missed(timer, "missed")
        else:
            self._ring(timer)

    def _ring_on(self, timer: Timer, now_s: float) -> float:
        """Seconds that it may ring on; after the last one it ends and that is told."""
        until_s = self._silent_s.setdefault(timer.id, now_s + self.ring_s)
        if now_s >= until_s:
            self._drop(timer, "unanswered")
            self.on_missed(timer, "unanswered")
        return max(0.0, until_s - now_s)

    def _ring(self, timer: Timer) -> None:
        if timer.command is not None:
            self._drop(timer, "rang")
        else:
            self._silent_s[timer.id] = self.clock.monotonic() + self.ring_s
            timer = replace(timer, due_s=None, due_wall_s=None, ringing=True)
            self._put(timer, "rang")
        self.on_ring(timer)

    def _put(self, timer: Timer, change: str) -> None:
        self._timers[timer.id] = timer
        self._changed(timer, change)

    def _drop(self, timer: Timer, change: str) -> None:
        self._timers.pop(timer.id, None)
        self._silent_s.pop(timer.id, None)
        self._changed(timer, change)

    def _changed(self, timer: Timer, change: str) -> None:
        self._dirty = True
        self._wake.set()
        self._tell(timer, change)
        self._show()

    def _tell(self, timer: Timer, change: str) -> None:
        self.publish(
            TimerChanged(
                timer=timer.id,
                change=change,
                name=timer.name,
                remaining_s=round(self.remaining_s(timer), 1),
                total_s=timer.total_s,
            )
        )

    def _show(self) -> None:
        """Publishes which of the two timer states hold; the running one with the share that is left of the next."""
        running = [timer for timer in self._timers.values() if timer.due_s is not None]
        share = min((self.remaining_s(t) / t.total_s for t in running), default=None)
        for state, on in ((State.TIMER_RINGING, bool(self.ringing())), (State.TIMER_RUNNING, bool(running))):
            if on or state in self._shown:
                value = share if state is State.TIMER_RUNNING and on else None
                self.publish(StateChanged(state=state, on=on, value=value))
            (self._shown.add if on else self._shown.discard)(state)


def _patience_s(timer: Timer) -> float:
    """How late a timer may still ring, and its command still be done."""
    return MISSED_AFTER_S if timer.command is None else COMMAND_LATE_S
