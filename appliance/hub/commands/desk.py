"""In: a command for some devices. Out: each device's own answer, or why there is none. For the event loop only."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from appliance.errors import ApplianceError, UsageError
from appliance.hub.fleet.device import Device
from appliance.hub.fleet.fleet import Fleet, Listener
from appliance.hub.reception.messages import ReplyBody
from appliance.telemetry.commands.schema import parse
from appliance.telemetry.mqtt.topics import Topics

ANSWER_S = 15.0
"""So long an answer is waited for; `say` answers when it has spoken."""
SLOW = {"say": 60.0, "self_test": 60.0, "restart_engine": 60.0}
MOST_DEVICES = 500
"""Of one command: more is a job for Ansible."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a command at one device."""

    device: str
    ok: bool
    answer: Any
    """What the device said, or one sentence why there is no answer."""
    took_ms: float | None
    """Between sending and the answer; None where there was none."""


class Post(Protocol):
    """What brings a command to the broker."""

    def publish(self, topic: str, payload: bytes, response_topic: str, correlation: bytes) -> None:
        """Raises BrokerError where it cannot go out now."""


Audit = Callable[[float, str, str, str, Any, bool, str, float | None], None]
"""at_s, who, device, command, args, ok, result, took_ms."""


class Desk(Listener):
    """Sends and waits. Follows the fleet for the answers."""

    def __init__(self, fleet: Fleet, post: Post, prefix: str, name: str, audit: Audit) -> None:
        """`name`: this hub's at the broker, so that answers to other hubs are told apart."""
        self._fleet, self._post, self._prefix, self._name, self._audit = fleet, post, prefix, name, audit
        self._waiting: dict[bytes, asyncio.Future[ReplyBody]] = {}

    def reply(self, device: Device, body: ReplyBody, correlation: bytes | None) -> None:
        waiting = self._waiting.get(correlation or b"")
        if waiting is not None and not waiting.done():
            waiting.set_result(body)

    async def give(self, devices: Sequence[str], command: str, args: Mapping[str, Any], who: str) -> list[Result]:
        """The command at every device, all at once. Raises UsageError for what no device would take, and for nobody.

        Every result is in the audit log when this returns.
        """
        if not devices:
            raise UsageError("nobody", "No device was named.")
        if len(devices) > MOST_DEVICES:
            raise UsageError("too-many", f"{len(devices)} devices at once; {MOST_DEVICES} are the most.")
        payload = json.dumps(dict(args)).encode()
        parse(command, payload)  # the device's own check: what it would refuse is not sent to anybody
        unknown = [device for device in devices if device not in self._fleet.devices]
        if unknown:
            raise UsageError("unknown-device", f"There is no device '{unknown[0][:64]}'.")
        return list(
            await asyncio.gather(*(self._one(device, command, payload, args, who) for device in dict.fromkeys(devices)))
        )

    async def _one(self, device: str, command: str, payload: bytes, args: Mapping[str, Any], who: str) -> Result:
        begun_s, at_s = time.monotonic(), time.time()
        topics = Topics(self._prefix, device)
        correlation = secrets.token_bytes(12)
        answer: asyncio.Future[ReplyBody] = asyncio.get_running_loop().create_future()
        self._waiting[correlation] = answer
        deadline_s = SLOW.get(command, ANSWER_S)
        try:
            self._post.publish(
                f"{topics.of('cmd')}/{command}", payload, f"{topics.of('reply')}/{self._name}", correlation
            )
            async with asyncio.timeout(deadline_s):
                body = await answer
        except ApplianceError as error:
            result = Result(device, False, error.message, None)
        except TimeoutError:
            result = Result(device, False, f"No answer in {deadline_s:.0f} s.", None)
        else:
            said = (body.result or {}) if body.ok else str((body.error or {}).get("message", "refused"))
            result = Result(device, body.ok, said, round((time.monotonic() - begun_s) * 1000, 1))
        finally:
            del self._waiting[correlation]
        told = result.answer if isinstance(result.answer, str) else json.dumps(result.answer)
        self._audit(at_s, who, device, command, _shown(command, args), result.ok, told, result.took_ms)
        return result


def _shown(command: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """What of the arguments is kept: that something was announced, not the words."""
    if command == "say":
        return {name: f"{len(str(value))} characters" if name == "text" else value for name, value in args.items()}
    return dict(args)
