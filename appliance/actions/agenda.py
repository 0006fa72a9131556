"""In: alarms and reminders for times of day. Out: each rings or is spoken in time, is kept over a restart, or is told.

Times of day live as the clock on the wall shows them, so that another time zone or the change to summer time needs no
correction: when one is due is worked out anew at every look. Lengths of time ("in ten minutes") count on the monotonic
clock while the program runs, because people set their clocks.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time as time_module
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from appliance.actions.moment import ClockTime
from appliance.actions.timer_record import LAST_WALL_S
from appliance.actions.timers import Clock
from appliance.files import number, recall, rows, set_aside, table, write_atomic
from appliance.files import text as text_of

log = logging.getLogger(__name__)

ALARM, REMINDER = "alarm", "reminder"
MOST = 50
"""Entries of both kinds together."""
MOST_ROWS = 1000
"""Of the file; more is no file of ours."""
MOST_ID = 64
MOST_TEXT = 200
"""Letters of a reminder."""
LATE_S = 900.0
"""What came due longer ago than this, while the device was off or its clock wrong, is told and not done."""
LOOK_S = 20.0
"""Longest time between two looks at the clock, which somebody may set."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One alarm or reminder."""

    id: str
    kind: str
    hour: int = 0
    minute: int = 0
    on: str | None = None
    """ISO date of the next time; None: a length of time, or one that waits for `due_wall_s` only."""
    days: tuple[int, ...] = ()
    """Weekdays on which it repeats, 0 is Monday."""
    text: str = ""
    due_wall_s: float | None = None
    """Epoch seconds, of a length of time and of a snooze."""
    ringing: bool = False

    def moment(self) -> datetime:
        """When it is due, local time without a zone."""
        if self.due_wall_s is not None:
            return datetime.fromtimestamp(self.due_wall_s)
        return datetime.fromtimestamp(self._local().timestamp())  # a time that the night of the change leaves out moves

    def due_s(self) -> float:
        """Epoch seconds at which it is due, in the zone of this moment."""
        return self.due_wall_s if self.due_wall_s is not None else self._local().timestamp()

    def _local(self) -> datetime:
        return datetime.combine(date.fromisoformat(self.on or "1970-01-01"), time(self.hour, self.minute))


@dataclass(slots=True)
class Agenda:
    """All alarms and reminders. Methods are quick and for the event loop's thread; `run` waits and writes."""

    path: Path
    on_due: Callable[[Entry], None]
    """An entry became due, in the event loop; must not block. A reminder that does not repeat is gone by then."""
    on_missed: Callable[[Entry, str], None]
    """An entry was 'missed' (due while the device was off) or rang 'unanswered'."""
    clock: Clock = field(default_factory=Clock)
    ring_s: float = 600.0
    """Longest ringing, seconds."""
    _silent_s: dict[str, float] = field(default_factory=dict)
    """Monotonic time at which a ringing entry gives up."""
    _entries: dict[str, Entry] = field(default_factory=dict)
    _counted: dict[str, float] = field(default_factory=dict)
    """Monotonic time at which a length of time is over, of entries made in this run."""
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _dirty: bool = False
    _loaded: bool = False

    # -- what can be asked ----------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Local time, without a zone."""
        time_module.tzset()  # another zone counts from this moment
        return datetime.fromtimestamp(self.clock.wall())

    def all(self, kind: str) -> tuple[Entry, ...]:
        """Entries of a kind, the next first."""
        return tuple(sorted((e for e in self._entries.values() if e.kind == kind), key=Entry.due_s))

    def ringing(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self._entries.values() if entry.ringing)

    @property
    def full(self) -> bool:
        return len(self._entries) >= MOST

    # -- what can be done -----------------------------------------------------------------------------------------

    def at(self, kind: str, when: ClockTime, text: str = "") -> Entry:
        """A new entry for a time of day. Raises ValueError for one too many or a moment that has passed."""
        moment = when.next_after(self.now())
        if moment <= self.now() or self.full:
            raise ValueError("No such entry can be made.")
        entry = Entry(self._name(kind), kind, moment.hour, moment.minute, moment.date().isoformat(), when.days, text)
        return self._put(entry)

    def after(self, kind: str, seconds: float, text: str = "") -> Entry:
        """A new entry `seconds` from now. Raises ValueError for one too many or no time at all."""
        if seconds <= 0 or self.full:
            raise ValueError("No such entry can be made.")
        entry = Entry(self._name(kind), kind, text=text, due_wall_s=self.clock.wall() + seconds)
        self._counted[entry.id] = self.clock.monotonic() + seconds
        return self._put(entry)

    def cancel(self, name: str) -> None:
        """Removes an entry, ringing or not. Raises KeyError."""
        del self._entries[name]
        self._counted.pop(name, None)
        self._changed()

    def silence(self) -> bool:
        """Ends all ringing; what repeats waits for its next time. Whether anything rang."""
        ringing = self.ringing()
        for entry in ringing:
            self._over(entry)
        return bool(ringing)

    def snooze(self, seconds: float) -> bool:
        """What rings is quiet and rings again in `seconds`. Whether anything rang."""
        ringing = self.ringing()
        for entry in ringing:
            self._over(entry)
            if not self.full:
                self.after(entry.kind, seconds, entry.text)
        return bool(ringing)

    # -- the service ----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Loads, then looks and writes until cancelled; what is unsaved then is saved."""
        if not self._loaded:  # started again after an error: what is in memory is newer
            self.load()
            self._loaded = True
        try:
            while True:
                wait_s = self.tick()
                await asyncio.to_thread(self.save)
                try:
                    async with asyncio.timeout(wait_s):
                        await self._wake.wait()
                except TimeoutError:
                    pass
                self._wake.clear()
        finally:
            self.save()

    def tick(self) -> float | None:
        """Has done what is due; seconds until the next look, None with nothing to wait for."""
        waits = []
        time_module.tzset()
        for entry in sorted(self._entries.values(), key=Entry.due_s):
            if entry.ringing:
                until_s = self._silent_s.setdefault(entry.id, self.clock.monotonic() + self.ring_s)
                waits.append(max(0.0, until_s - self.clock.monotonic()))
                if waits[-1] == 0:
                    self._over(entry)
                    self.on_missed(entry, "unanswered")
                continue
            left_s = self._left_s(entry)
            if left_s > 0:
                waits.append(min(left_s, LOOK_S))
            elif -left_s > LATE_S:
                self._over(entry)
                self.on_missed(entry, "missed")
            elif entry.kind == ALARM:
                self._silent_s[entry.id] = self.clock.monotonic() + self.ring_s
                waits.append(self.ring_s)
                self._put(ringing := replace(entry, ringing=True))
                self.on_due(ringing)
            else:
                self._over(entry)
                self.on_due(entry)
        return min(waits, default=None)

    def _left_s(self, entry: Entry) -> float:
        counted = self._counted.get(entry.id)
        return counted - self.clock.monotonic() if counted is not None else entry.due_s() - self.clock.wall()

    def _over(self, entry: Entry) -> None:
        """Done for this time: gone, or put to its next day."""
        self._counted.pop(entry.id, None)
        self._silent_s.pop(entry.id, None)
        if not entry.days:
            self._entries.pop(entry.id, None)
            self._changed()
            return
        following = ClockTime(time(entry.hour, entry.minute), None, entry.days)
        after = max(self.now(), entry.moment())
        on = following.next_after(after + timedelta(seconds=1)).date()
        self._put(replace(entry, ringing=False, on=on.isoformat(), due_wall_s=None))

    def _name(self, kind: str) -> str:
        number = 1
        while f"{kind[0]}{number}" in self._entries:
            number += 1
        return f"{kind[0]}{number}"

    def _put(self, entry: Entry) -> Entry:
        self._entries[entry.id] = entry
        self._changed()
        return entry

    def _changed(self) -> None:
        self._dirty = True
        self._wake.set()

    # -- the file -------------------------------------------------------------------------------------------------

    def load(self) -> None:
        """Takes over the file. A missing one is empty; what is damaged is put aside, and the sound entries in it stay.

        What rang when the power went rings again, if that is not long ago.
        """
        none: tuple[Entry, ...] = ()
        for entry in recall(self.path, self._restored, none):
            self._entries.setdefault(entry.id, entry)

    def _restored(self, tree: Any) -> tuple[Entry, ...]:
        entries, lost = [], []
        for row in rows(table(tree).get("entries"), MOST_ROWS):
            try:
                entries.append(_checked(table(row)))
            except (ValueError, TypeError, LookupError, OverflowError, OSError) as error:
                lost.append(f"{type(error).__name__}: {error}")
        if lost:
            set_aside(self.path, f"{len(lost)} of its entries: {lost[0]}")
            self._dirty = True
        return tuple(entries[:MOST])

    def save(self) -> None:
        """Writes the file if something changed. Blocks; a full disk is logged and tried again at the next change."""
        if not self._dirty:
            return
        self._dirty = False
        entries = [asdict(entry) for entry in tuple(self._entries.values())]
        try:
            write_atomic(self.path, json.dumps({"entries": entries}))
        except OSError as error:
            self._dirty = True
            log.warning("%s cannot be written: %s.", self.path, error.strerror)


def _checked(row: dict[str, Any]) -> Entry:
    """An entry of the file. Raises ValueError (Damaged too), KeyError or TypeError where a value is out of its range."""
    due = row["due_wall_s"]
    entry = Entry(
        id=text_of(row["id"], MOST_ID),
        kind=text_of(row["kind"], MOST_ID),
        hour=int(row["hour"]),
        minute=int(row["minute"]),
        on=None if row["on"] is None else date.fromisoformat(row["on"]).isoformat(),
        days=tuple(int(day) for day in row["days"]),
        text=str(row["text"])[:MOST_TEXT],
        due_wall_s=None if due is None else number(due, 0.0, LAST_WALL_S),
    )
    in_range = 0 <= entry.hour <= 23 and 0 <= entry.minute <= 59 and all(0 <= day <= 6 for day in entry.days)
    if entry.kind not in (ALARM, REMINDER) or not in_range or (entry.on is None and due is None):
        raise ValueError("an entry is out of range")
    entry.due_s()
    return entry
