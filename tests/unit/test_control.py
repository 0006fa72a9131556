"""The control socket's commands, without the socket."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from appliance.api.control import MOST_TEXT, Control, turn_table
from appliance.conversation.context import Trigger
from appliance.errors import UsageError
from appliance.events import Bus, Outcome, PartialHeard, TurnEnded, TurnRecord
from appliance.wire.control import Answer, Progress, Request
from tests.clock import instant, settle
from tests.fakes import FakeConnection

SECRETS = ("turn off the bedroom light", "bedroom light", "The bedroom light is off.")
RECORD = TurnRecord(
    turn="t1", outcome=Outcome.ANSWERED, cause="wake", transcript=SECRETS[0], intent="HassTurnOff",
    slots={"name": SECRETS[1]}, reply=SECRETS[2],
)  # fmt: skip


class Device:
    """What the commands act upon."""

    def __init__(self) -> None:
        self.bus = Bus()
        self.opened: list[Trigger] = []
        self.announced: list[tuple[str, bool]] = []
        self.conversation = SimpleNamespace(open=self.opened.append, stop=lambda: True, announce=self._announce)

    async def _announce(self, text: str, chime: bool) -> bool:
        self.announced.append((text, chime))
        return True

    def watchers(self) -> set[str]:
        return set(self.bus.dropped())


async def asked(device: Device, command: str, **arguments: Any) -> FakeConnection:
    control = Control(device)  # type: ignore[arg-type]
    connection = FakeConnection(lambda connection, event: None)
    connection.say(Request(command, arguments))
    await control._handle(connection)  # type: ignore[arg-type]
    return connection


def answer(connection: FakeConnection) -> Answer:
    return Answer.from_event(connection.sent[-1])


@instant
async def test_listen_tells_partials_and_the_turn_and_leaves_no_watcher_behind() -> None:
    device = Device()
    before = device.watchers()
    listening = asyncio.create_task(asked(device, "listen"))
    await settle()
    assert [trigger.cause for trigger in device.opened] == ["command"] and len(device.watchers()) == len(before) + 1
    device.bus.publish(PartialHeard(turn="t1", text="turn off", audio_ms=500))
    device.bus.publish(TurnEnded(record=RECORD))
    connection = await listening
    assert Progress.from_event(connection.sent[0]).data == {"text": "turn off", "audio_ms": 500}
    assert answer(connection).data == turn_table(RECORD)
    assert device.watchers() == before
    gone = asyncio.create_task(asked(device, "listen"))
    await settle()
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    assert device.watchers() == before, "whoever goes away takes the watcher along"


@instant
async def test_two_who_listen_do_not_take_each_others_events() -> None:
    device = Device()
    both = [asyncio.create_task(asked(device, "listen")) for _ in range(2)]
    await settle()
    device.bus.publish(TurnEnded(record=RECORD))
    assert [answer(connection).ok for connection in await asyncio.gather(*both)] == [True, True]


def test_what_was_said_is_in_no_table_of_the_status() -> None:
    table = turn_table(RECORD, private=True)
    assert not [secret for secret in SECRETS if secret in repr(table)]
    assert table["outcome"] == "answered" and table["intent"] == "HassTurnOff"
    whole = turn_table(RECORD)
    assert [whole["transcript"], whole["slots"], whole["reply"]] == [SECRETS[0], {"name": SECRETS[1]}, SECRETS[2]]


@instant
async def test_say_takes_a_text_of_a_bounded_length() -> None:
    device = Device()
    assert answer(await asked(device, "say", text=" Dinner. ", chime=True)).ok
    assert answer(await asked(device, "say", text="x" * MOST_TEXT)).ok
    for text in ("", "   ", "x" * (MOST_TEXT + 1)):
        assert not answer(await asked(device, "say", text=text)).ok
    assert [text for text, _ in device.announced] == ["Dinner.", "x" * MOST_TEXT] and device.announced[0][1] is True


@instant
async def test_stop_and_what_nobody_knows() -> None:
    device = Device()
    assert answer(await asked(device, "stop")).data == {"stopped": True}
    refused = answer(await asked(device, "dance"))
    assert not refused.ok and "dance" in (refused.error or "")
    with pytest.raises(UsageError):
        await Control(device).say(FakeConnection(lambda c, e: None), {})  # type: ignore[arg-type]
