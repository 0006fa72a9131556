"""An error in a part that is not vital ends nothing but itself: told once with its place, backed off, started again."""

from __future__ import annotations

import asyncio
import random

import pytest

from appliance.backoff import full_jitter_s
from appliance.errors import SettingsError
from appliance.events import Bus, PartFailed
from appliance.supervisor import contained
from appliance.supervisor.contained import Contained, place_of
from tests.clock import instant, settle


class Part:
    """A part that fails `times` times, after `lasts_s` each time."""

    def __init__(self, times: int, error: BaseException | None = None, lasts_s: float = 0.0) -> None:
        self.starts: list[float] = []
        self._times, self._error, self._lasts_s = times, error, lasts_s

    async def run(self) -> None:
        self.starts.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self._lasts_s)
        if len(self.starts) <= self._times:
            if self._error is not None:
                raise self._error
            return
        await asyncio.Event().wait()


class Longest(random.Random):
    """Draws the longest wait."""

    def uniform(self, a: float, b: float) -> float:
        return b


async def kept(part: Part, seconds: float, once: bool = False) -> tuple[Contained, list[PartFailed]]:
    bus = Bus()
    told = bus.subscribe("test")
    parts = Contained(bus, Longest())
    task = asyncio.create_task(parts.keep("lamp", part.run, once))
    await asyncio.sleep(seconds)
    table = parts.table()["lamp"]
    assert table["running"] == (not task.done() and len(part.starts) > part._times)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return parts, [event for event in told.waiting() if isinstance(event, PartFailed)]


@pytest.mark.parametrize("error", [ValueError("secret"), OSError(11, "again"), ExceptionGroup("two", [KeyError("k")])])
@instant
async def test_an_error_is_told_and_the_part_starts_again(error: Exception) -> None:
    part = Part(2, error)
    parts, told = await kept(part, 10.0)
    assert len(part.starts) == 3
    assert [event.failures for event in told] == [1, 2] and told[0].part == "lamp"
    assert parts.parts["lamp"].failures == 2 and "secret" not in str(parts.table())
    assert " at contained.py:" in told[0].error and parts.parts["lamp"].trouble == told[0].error


@instant
async def test_waits_double_up_to_a_bound_and_are_short_again_after_a_good_run() -> None:
    part = Part(20, ValueError())
    await kept(part, 400.0)
    waits = [after - before for before, after in zip(part.starts, part.starts[1:], strict=False)]
    assert waits[:3] == [0.5, 1.0, 2.0] and max(waits) == contained.MOST_S
    good = Part(4, ValueError(), lasts_s=contained.PROVEN_S + 1)
    await kept(good, 400.0)
    waits = [
        after - before - contained.PROVEN_S - 1 for before, after in zip(good.starts, good.starts[1:], strict=False)
    ]
    assert waits == pytest.approx([contained.FIRST_S] * 4)


@instant
async def test_the_same_error_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    await kept(Part(5, ValueError()), 100.0)
    assert len([record for record in caplog.records if "lamp" in record.getMessage()]) == 1


@instant
async def test_a_part_that_ends_by_itself_is_started_again_unless_that_is_meant() -> None:
    _, told = await kept(Part(1), 10.0)
    assert [event.error for event in told] == ["ended by itself"]
    part = Part(1)
    _, told = await kept(part, 10.0, once=True)
    assert told == [] and len(part.starts) == 1


@instant
async def test_a_wrong_setting_is_not_tried_again() -> None:
    parts = Contained(Bus())
    with pytest.raises(SettingsError):
        await parts.keep("lamp", Part(1, SettingsError("bad", "panel.board: no such board.")).run)
    assert not parts.parts["lamp"].running


@instant
async def test_one_part_takes_no_other_with_it() -> None:
    parts = Contained(Bus(), Longest())
    broken, well = Part(1000, RuntimeError()), Part(0)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(parts.keep(str(n), part.run)) for n, part in enumerate((broken, well))]
        await asyncio.sleep(30.0)
        assert parts.parts["0"].failures > 4 and parts.parts["1"].running and len(well.starts) == 1
        for task in tasks:
            task.cancel()
    await settle()


def test_the_place_of_an_error_holds_no_message() -> None:
    try:
        int("my secret")
    except ValueError as error:
        assert place_of(error).startswith("ValueError at test_contained.py:")
    assert place_of(KeyError("secret")) == "KeyError"


def test_full_jitter() -> None:
    draws = [full_jitter_s(3, 0.5, 60.0, random.Random(seed)) for seed in range(500)]
    assert 0.0 <= min(draws) < 0.1 and 3.9 < max(draws) <= 4.0
    assert full_jitter_s(10_000, 0.5, 60.0, Longest()) == 60.0 and full_jitter_s(0, 0.5, 60.0, Longest()) == 0.5
