"""Every message of the wire, with every field wrong in every way: it is taken, or it is one EngineError."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import fields
from typing import Any

import pytest
from wyoming.event import Event

from appliance.conversation.clients.sound import SoundClient
from appliance.errors import EngineError
from appliance.events import Bus
from appliance.settings.supervision import SupervisorSettings
from appliance.wire import control, message, sound, stt, tts
from appliance.wire.message import Message, Pong
from tests.clock import instant
from tests.fakes import FakeConnection

MESSAGES = sorted(
    {
        kind
        for module in (control, message, sound, stt, tts)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Message) and kind is not Message
    },
    key=lambda kind: f"{kind.__module__}.{kind.__name__}",
)
WRONG: tuple[Any, ...] = (
    None, True, -1, 2**70, 1.5, float("nan"), float("inf"), "", "x" * 5000, [], [1], [["a"]], [["a", float("nan")]], {},
    {"a": {}}, {"a": float("nan")}, {"": 1}, b"x",
)  # fmt: skip
SOUND: dict[type, Any] = {str: "x", int: 1, float: 1.0, bool: True}


def sample(kind: type[Message]) -> dict[str, Any]:
    """Data that the message takes: one of WRONG fits wherever a plain value does not."""
    data: dict[str, Any] = {}
    for field in fields(kind):
        for value in (*SOUND.values(), *WRONG):
            try:
                kind.from_event(Event(kind.kind, {**dict.fromkeys((f.name for f in fields(kind)), None), **data}))
            except EngineError:
                pass
            try:
                message._checks(kind)[field.name][0](value)
            except TypeError:
                continue
            data[field.name] = value
            break
    return data


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}")
def test_any_wrong_field_is_an_engine_error(kind: type[Message]) -> None:
    good = sample(kind)
    assert kind.from_event(Event(kind.kind, good, b"\0\0"))
    taken = 0
    for field, value in itertools.product(fields(kind), WRONG):
        try:
            kind.from_event(Event(kind.kind, {**good, field.name: value}, b"\0"))
            taken += 1
        except EngineError as error:
            assert error.code == "garbage" and field.name in error.message
    assert taken or not fields(kind)


def test_there_are_messages() -> None:
    assert len(MESSAGES) > 25


def test_no_number_is_not_a_number() -> None:
    for value in (float("nan"), float("inf"), float("-inf")):
        with pytest.raises(EngineError):
            Pong.from_event(Event("pong", {"counters": {"frames": value}}))
        with pytest.raises(EngineError):
            stt.Transcript.from_event(Event("transcript", {"text": "", "confidence": value}))


@pytest.mark.parametrize("kind", [kind for kind in MESSAGES if kind.__module__ == sound.__name__])
@instant
async def test_rubbish_of_the_sound_engine_ends_its_session_with_an_engine_error(kind: type[Message]) -> None:
    good = sample(kind)
    for field in fields(kind):
        client = SoundClient(SupervisorSettings(), Bus())
        connection = FakeConnection(lambda connection, event: None)
        for value in (WRONG[2], good.get(field.name), WRONG[5]):
            connection.say(Event(kind.kind, {**good, field.name: value}, b"\0\0"))
        connection.say(EngineError("closed", "That was all."))
        with pytest.raises(EngineError):
            await client.session(connection)  # type: ignore[arg-type]
        assert client.hearing == "deaf"
    await asyncio.sleep(0)
