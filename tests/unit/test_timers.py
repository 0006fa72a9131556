"""Timers with a clock in the hand: ringing, pausing, restarts, broken files, clocks that jump."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from appliance.actions.timers import LONGEST_S, MISSED_AFTER_S, MOST_TIMERS, Clock, Timer, Timers
from appliance.events import DeviceEvent, State, StateChanged, TimerChanged
from tests.clock import instant


class Bench:
    """Timers, their file and both clocks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wall_s = 1_800_000_000.0
        self.mono_s = 100.0
        self.rung: list[Timer] = []
        self.told: list[DeviceEvent] = []
        self.timers = self.boot()

    def boot(self) -> Timers:
        """A fresh process; the monotonic clock begins anew."""
        self.mono_s = 50.0
        clock = Clock(lambda: self.wall_s, lambda: self.mono_s)
        self.timers = Timers(self.folder / "timers.json", self.rung.append, self.told.append, clock)
        self.timers.load()
        return self.timers

    def after(self, seconds: float) -> float | None:
        self.wall_s += seconds
        self.mono_s += seconds
        return self.timers.tick()

    def off_for(self, seconds: float) -> None:
        """Saved, switched off, switched on later."""
        self.timers.save()
        self.wall_s += seconds
        self.boot()
        self.timers.tick()

    def changes(self) -> list[str]:
        return [told.change for told in self.told if isinstance(told, TimerChanged)]

    def shown(self, state: State) -> list[bool]:
        return [told.on for told in self.told if isinstance(told, StateChanged) and told.state is state]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_rings_when_due_until_silenced(bench: Bench) -> None:
    bench.timers.start(60, "tea")
    assert bench.timers.tick() == pytest.approx(60)
    assert bench.after(59.9) == pytest.approx(0.1) and bench.rung == []
    assert bench.after(0.1) is None and [timer.name for timer in bench.rung] == ["tea"]
    bench.after(500)
    assert bench.timers.ringing() and len(bench.rung) == 1
    assert bench.timers.silence() and not bench.timers.all() and not bench.timers.silence()
    assert bench.changes() == ["started", "rang", "silenced"]
    assert bench.shown(State.TIMER_RINGING) == [True, False]
    assert bench.shown(State.TIMER_RUNNING)[-1] is False


def test_pause_resume_add(bench: Bench) -> None:
    timer = bench.timers.start(60).id
    bench.after(20)
    bench.timers.pause(timer)
    assert bench.after(1000) is None and bench.rung == []
    bench.timers.add(timer, 10)
    assert bench.timers.all()[0].paused
    bench.timers.resume(timer)
    assert bench.timers.tick() == pytest.approx(50)
    bench.timers.add(timer, -20)
    assert bench.timers.tick() == pytest.approx(30)
    with pytest.raises(ValueError, match="above zero"):
        bench.timers.add(timer, -31)
    bench.after(30)
    assert len(bench.rung) == 1


def test_several_ring_in_order(bench: Bench) -> None:
    for seconds, name in ((30, "b"), (10, "a"), (60, "c")):
        bench.timers.start(seconds, name)
    assert [timer.name for timer in bench.timers.all()] == ["a", "b", "c"]
    bench.after(35)
    assert [timer.name for timer in bench.rung] == ["a", "b"]


def test_a_corrected_wall_clock_moves_no_running_timer(bench: Bench) -> None:
    bench.timers.start(60)
    bench.wall_s += 86_400
    assert bench.timers.tick() == pytest.approx(60) and bench.rung == []


def test_survives_a_restart(bench: Bench) -> None:
    bench.timers.start(600, "pasta")
    paused = bench.timers.start(300).id
    bench.after(100)
    bench.timers.pause(paused)
    bench.off_for(200)
    running, waiting = bench.timers.all()
    assert running.name == "pasta" and bench.timers.remaining_s(running) == pytest.approx(300)
    assert waiting.paused and bench.timers.remaining_s(waiting) == pytest.approx(200)
    bench.after(300)
    assert [timer.name for timer in bench.rung] == ["pasta"]


def test_came_due_while_off(bench: Bench) -> None:
    bench.timers.start(60, "late")
    bench.off_for(120)
    assert [timer.name for timer in bench.rung] == ["late"]


def test_came_due_long_ago_is_dropped(bench: Bench) -> None:
    bench.timers.start(60)
    bench.off_for(60 + MISSED_AFTER_S + 1)
    assert bench.rung == [] and not bench.timers.all() and bench.changes()[-1] == "missed"
    bench.off_for(1)
    assert bench.changes().count("missed") == 1


def test_rings_again_after_a_restart_while_ringing(bench: Bench) -> None:
    bench.timers.start(5)
    bench.after(5)
    bench.off_for(10)
    assert len(bench.rung) == 2


def test_a_wall_clock_set_late_after_boot(bench: Bench) -> None:
    """A board without a battery wakes in the past; the network sets its clock a minute later."""
    bench.timers.start(600)
    bench.timers.save()
    true_s = bench.wall_s + 400
    bench.wall_s -= 5000
    bench.boot()
    assert bench.timers.remaining_s(bench.timers.all()[0]) <= 600
    bench.after(60)
    assert bench.rung == []
    bench.wall_s = true_s + 201
    bench.timers.tick()
    assert len(bench.rung) == 1


def test_a_command_is_given_back_instead_of_ringing(bench: Bench) -> None:
    bench.timers.start(5, command="turn off the lights")
    bench.after(5)
    assert bench.rung[0].command == "turn off the lights" and not bench.timers.all()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"saved_wall_s": 1, "timers": [{}]}', '{"timers": 3}'])
def test_a_broken_file_is_put_aside(bench: Bench, text: str) -> None:
    file = bench.folder / "timers.json"
    file.write_text(text)
    assert bench.boot().all() == ()
    assert not file.exists() and (bench.folder / "timers.json.damaged").read_text() == text


def test_a_folder_that_cannot_be_written_stops_no_timer(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    bench.folder = tmp_path / "file"
    bench.timers = Timers(tmp_path / "none" / "timers.json", bench.rung.append, bench.told.append, bench.timers.clock)
    bench.timers.start(5)
    bench.timers.save()
    bench.after(5)
    assert len(bench.rung) == 1


def test_limits(bench: Bench) -> None:
    for seconds in (0, -1, LONGEST_S + 1):
        with pytest.raises(ValueError, match="No such timer"):
            bench.timers.start(seconds)
    for _ in range(MOST_TIMERS):
        bench.timers.start(5)
    with pytest.raises(ValueError, match="No such timer"):
        bench.timers.start(5)


def test_nothing_is_written_without_a_change(bench: Bench) -> None:
    bench.timers.start(500)
    bench.timers.save()
    file = bench.folder / "timers.json"
    before = file.stat().st_mtime_ns, file.stat().st_ino
    bench.after(100)
    bench.timers.save()
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == before


@instant
async def test_the_service_rings_saves_and_ends(tmp_path: Path) -> None:
    rung = asyncio.Event()
    clock = Clock(monotonic=asyncio.get_running_loop().time)
    timers = Timers(tmp_path / "timers.json", lambda _: rung.set(), lambda _: None, clock)
    service = asyncio.create_task(timers.run())
    await asyncio.sleep(0)
    timers.start(0.05, "soon")
    timers.start(900, "later")
    await asyncio.wait_for(rung.wait(), 5)
    service.cancel()
    await asyncio.gather(service, return_exceptions=True)
    saved = json.loads((tmp_path / "timers.json").read_text())
    assert {item["name"] for item in saved["timers"]} == {"soon", "later"}


@instant
async def test_started_again_after_an_error_it_keeps_what_is_in_memory(tmp_path: Path) -> None:
    clock = Clock(monotonic=asyncio.get_running_loop().time)
    timers = Timers(tmp_path / "timers.json", lambda _: None, lambda _: None, clock)
    service = asyncio.create_task(timers.run())
    await asyncio.sleep(1.0)
    kept, gone = timers.start(900, "kept"), timers.start(900, "gone")
    await asyncio.sleep(1.0)
    service.cancel()
    await asyncio.gather(service, return_exceptions=True)
    timers.cancel(gone.id)
    service = asyncio.create_task(timers.run())
    await asyncio.sleep(1.0)
    assert [timer.id for timer in timers.all()] == [kept.id]
    assert kept.due_wall_s is None and timers.all() == (kept,), "not restored from the file a second time"
    service.cancel()
    await asyncio.gather(service, return_exceptions=True)
