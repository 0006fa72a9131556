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
from appliance.telemetry.metrics.measures import LABELLED
from appliance.telemetry.metrics.prometheus import exposition
from appliance.telemetry.standing import WATCHED
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
        assert "memory_growth_mb_per_hour" in health["budgets"]
        _, text = await get(port, "/metrics")
        families = {family.name: family for family in text_string_to_metric_families(text.decode())}
        value = lambda name: families[f"appliance_{name}"].samples[0].value  # noqa: E731
        assert value("threads") > 0 and value("response_seconds") == pytest.approx(0.2045)
        assert "appliance_memory_growth_bytes_per_second" not in families, "what is not known is left out"
        turns = families["appliance_turns"].samples
        assert [(s.name, s.labels["outcome"], s.value) for s in turns] == [("appliance_turns_total", "answered", 10.0)]
        assert {sample.labels["device"] for sample in families["appliance_stage_seconds"].samples} == {"kitchen"}
        played.hears = (Hearing.DEAF, "The microphone is gone.")
        status, body = await get(port, "/health")
        assert status == 503 and json.loads(body)["deaf_reason"] == "The microphone is gone."


async def test_metrics_are_named_as_prometheus_wants_them(tmp_path: Path) -> None:
    """Parsed by Prometheus' own client: every family is described and typed once, in base units, its samples together."""
    played, bus = PlayedDevice(), Bus()
    played.led, played.restarts = [10.0] * 5, 2
    telemetry = make(tmp_path, bus, played, host=None)
    async with running(telemetry), serving(telemetry) as port:
        for number in range(25):
            bus.publish(turn(number, ms={"response": 5000.0, "stt": 20.0}))
        telemetry.delivery.outbox.dropped["metrics"] = 3
        await until(lambda: telemetry.alerts.holding())
        _, text = await get(port, "/metrics")
    families = list(text_string_to_metric_families(text.decode()))
    assert len(families) == len({family.name for family in families}) > 20
    for family in families:
        assert family.name.startswith("appliance_") and family.documentation.endswith(".")
        assert family.type in ("gauge", "counter")
        assert not family.name.endswith(("_ms", "_mb", "_s", "_kbit", "_percent", "_hour")), "base units only"
        assert all(sample.name.endswith("_total") == (family.type == "counter") for sample in family.samples)
        assert all(sample.labels["device"] == "kitchen" for sample in family.samples)
        keys = [tuple(sorted(sample.labels.items())) for sample in family.samples]
        assert len(keys) == len(set(keys)), "no sample twice"
    assert text.count(b"# HELP") == text.count(b"# TYPE") == len(families)
    found = {family.name: family.samples for family in families}
    assert found["appliance_led_seconds"][0].value == 0.01
    assert found["appliance_engine_restarts"][0].value == 2
    assert {sample.labels["severity"] for sample in found["appliance_alert"]} == {"P0"}


def test_labels_are_escaped_and_every_unit_is_known() -> None:
    row = {"value": 1.0, "target": 1.0}
    budgets = {budget.name: {**row, "unit": budget.unit} for budget in WATCHED if budget.name not in LABELLED}
    nasty = 'a "quoted" \\ name\n'
    health = {
        "healthy": True, "budgets": budgets, "ms": {}, "window": {"turns": 0}, "turns": {"outcomes": {nasty: 1}},
        "engines": {}, "engine_restarts": {}, "processes": {}, "alerts": [],
        "mqtt": {"connected": False, "waiting": 0, "waiting_bytes": 0, "delivered": {}, "dropped": {}, "bytes_in": 0,
                 "bytes_out": 0, "telemetry_cpu_s": 0.0},
    }  # fmt: skip
    families = {family.name: family for family in text_string_to_metric_families(exposition(health, "kitchen"))}
    assert families["appliance_turns"].samples[0].labels["outcome"] == nasty
    assert len(families["appliance_budget_target"].samples) == len(budgets), "no two budgets share a name"


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
