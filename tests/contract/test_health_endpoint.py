"""In: HTTP callers, polite and rude. Out: /health tells the truth by its status, /metrics is what Prometheus reads."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from appliance.events import Bus, Hearing
from appliance.settings.telemetry import HealthSettings
from appliance.telemetry.health import HealthEndpoint
from appliance.telemetry.telemetry import Telemetry
from tests.broker import free_port
from tests.telemetry import PlayedDevice, make, running, turn, until


@contextlib.asynccontextmanager
async def serving(telemetry: Telemetry) -> AsyncIterator[int]:
    port = free_port()
    endpoint = HealthEndpoint(HealthSettings(port=port), telemetry.health, "kitchen")
    task = asyncio.create_task(endpoint.run())
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                (await asyncio.open_connection("127.0.0.1", port))[1].close()
                break
            await asyncio.sleep(0.02)
        yield port
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ask(port: int, request: bytes) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    if not answer:
        return 0, b""
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


async def get(port: int, path: str) -> tuple[int, bytes]:
    return await ask(port, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())


async def test_health_and_metrics(tmp_path: Path) -> None:
    played, bus = PlayedDevice(), Bus()
    telemetry = make(tmp_path, bus, played, host=None)
    async with running(telemetry), serving(telemetry) as port:
        for number in range(10):
            bus.publish(turn(number, ms={"response": 200.0 + number}))
        await until(lambda: telemetry.values.get("response_ms") == 204.5)
        status, body = await get(port, "/health")
        health = json.loads(body)
        assert status == 200 and health["healthy"]
        assert health["budgets"]["response_ms"] == {"value": 204.5, "unit": "ms", "target": 1500, "verdict": "met"}
        assert health["budgets"]["memory_growth_mb_per_hour"]["value"] is None
        _, text = await get(port, "/metrics")
        families = {family.name: family for family in text_string_to_metric_families(text.decode())}
        measures = {sample.labels["name"]: sample.value for sample in families["appliance_measure"].samples}
        assert measures["threads"] > 0 and "memory_growth_mb_per_hour" not in measures
        assert {sample.labels["device"] for sample in families["appliance_stage_ms"].samples} == {"kitchen"}
        played.hears = (Hearing.DEAF, "The microphone is gone.")
        status, body = await get(port, "/health")
        assert status == 503 and json.loads(body)["deaf_reason"] == "The microphone is gone."


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /else HTTP/1.1\r\n\r\n", 404),
        (b"POST /health HTTP/1.1\r\n\r\n", 405),
        (b"\r\n\r\n", 405),
        (b"\xff\x00\r\n\r\n", 405),
        (b"GET /" + b"x" * 20000 + b"\r\n\r\n", 0),
        (b"half", 0),
    ],
)
async def test_rude_callers(tmp_path: Path, request_bytes: bytes, status: int) -> None:
    telemetry = make(tmp_path, Bus(), PlayedDevice(), host=None)
    async with serving(telemetry) as port:
        with contextlib.suppress(ConnectionError):
            assert (await ask(port, request_bytes))[0] == status
        assert (await get(port, "/health"))[0] == 200


async def test_many_callers_that_say_nothing(tmp_path: Path) -> None:
    telemetry = make(tmp_path, Bus(), PlayedDevice(), host=None)
    async with serving(telemetry) as port:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(30)]
        assert (await get(port, "/health"))[0] == 503
        for _, writer in silent:
            writer.close()
        await asyncio.sleep(0.1)
        assert (await get(port, "/health"))[0] == 200
