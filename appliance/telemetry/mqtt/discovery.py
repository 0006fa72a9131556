"""In: the device's topics and facts. Out: Home Assistant's one discovery message for it, with every entity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appliance.settings.device import DeviceSettings
from appliance.telemetry.mqtt.topics import Topics

Component = dict[str, Any]
DIAGNOSTIC, CONFIG = {"entity_category": "diagnostic"}, {"entity_category": "config"}
GESTURES = ("single", "double", "triple", "long", "hold", "release")
MISSING = "{{ %s if %s is not none else None }}"


def device_message(topics: Topics, device: DeviceSettings, about: Mapping[str, Any]) -> dict[str, Any]:
    """The message of `<discovery prefix>/device/<id>/config`; retained, QoS 1. An empty one removes all."""
    name = f"{topics.prefix.replace('/', '_')}_{device.id}"
    version = str(about.get("version"))
    place = {} if device.area is None else {"suggested_area": device.area}
    return {
        "dev": {
            "identifiers": [name], "name": device.name, "manufacturer": "Voice appliance",
            "model": str(about.get("board") or "Voice appliance"), "sw_version": version, **place,
        },
        "o": {"name": "appliance", "sw": version, "url": "https://www.home-assistant.io/integrations/mqtt/"},
        "availability_topic": topics.of("availability"),
        "qos": 1,
        "cmps": {
            key: {
                **component,
                "unique_id": f"{name}_{key}",
                "default_entity_id": f"{component['p']}.{name}_{key}".lower().replace("-", "_"),
            }
            for key, component in _components(topics).items()
        },
    }  # fmt: skip


def _components(topics: Topics) -> dict[str, Component]:
    return {**_sensors(topics), **_diagnostics(topics), **_binaries(topics), **_events(topics), **_controls(topics)}


def _sensor(topics: Topics, topic: str, name: str, value: str, **more: Any) -> Component:
    return {"p": "sensor", "name": name, "state_topic": topics.of(topic), "value_template": value, **more}


def _of(path: str) -> str:
    """A template that gives 'unknown' for null, which Home Assistant understands as no value."""
    return MISSING % (path, path)


def _sensors(topics: Topics) -> dict[str, Component]:
    ms = {"unit_of_measurement": "ms", "device_class": "duration", "state_class": "measurement"}
    share = {"unit_of_measurement": "%", "state_class": "measurement"}
    return {
        "state": _sensor(topics, "state", "State", "{{ value_json.state }}", icon="mdi:account-voice"),
        "last_intent": _sensor(
            topics, "state", "Last intent", _of("value_json.last_intent"), icon="mdi:message-processing"
        ),
        "response_p50": _sensor(topics, "metrics", "Response time", _of("value_json.ms.response.p50"), **ms),
        "response_p95": _sensor(
            topics, "metrics", "Response time p95", _of("value_json.ms.response.p95"), **ms, **DIAGNOSTIC
        ),
        "turns": _sensor(topics, "metrics", "Turns", "{{ value_json.turns.total }}", state_class="total_increasing"),
        "wakes": _sensor(
            topics, "metrics", "Wake words", "{{ value_json.engines.sound.counters.detections | default(None) }}",
            state_class="total_increasing",
        ),
        "error_rate": _sensor(
            topics, "metrics", "Error rate",
            "{{ (value_json.measures.error_rate * 100) | round(2) if value_json.measures.error_rate is not none else None }}",
            **share, **DIAGNOSTIC,
        ),
    }  # fmt: skip


def _diagnostics(topics: Topics) -> dict[str, Component]:
    measured = {"state_class": "measurement", **DIAGNOSTIC}
    mb = {"unit_of_measurement": "MB", "device_class": "data_size", **measured}
    return {
        "temperature": _sensor(
            topics, "metrics", "Temperature", _of("value_json.board.temperature_c"),
            unit_of_measurement="°C", device_class="temperature", **measured,
        ),
        "memory": _sensor(topics, "metrics", "Memory", _of("value_json.measures.memory_peak_mb"), **mb),
        "cpu": _sensor(
            topics, "metrics", "CPU",
            "{% set ns = namespace(sum=0) %}{% for p in value_json.processes.values() %}"
            "{% set ns.sum = ns.sum + (p.cpu_ratio or 0) %}{% endfor %}{{ (ns.sum * 100) | round(1) }}",
            unit_of_measurement="%", **measured,
        ),
        "wifi": _sensor(
            topics, "metrics", "Wi-Fi signal", _of("value_json.board.wifi_dbm"),
            unit_of_measurement="dBm", device_class="signal_strength", **measured,
        ),
        "restarts": _sensor(
            topics, "metrics", "Engine restarts",
            "{{ value_json.engines.values() | map(attribute='restarts') | sum }}",
            state_class="total_increasing", **DIAGNOSTIC,
        ),
    }  # fmt: skip


def _binary(topics: Topics, name: str, value: str, **more: Any) -> Component:
    return {"p": "binary_sensor", "name": name, "state_topic": topics.of("state"), "value_template": value, **more}


def _binaries(topics: Topics) -> dict[str, Component]:
    on = "{{ 'ON' if value_json.%s else 'OFF' }}"
    return {
        "problem": _binary(topics, "Problem", on % "problem", device_class="problem", **DIAGNOSTIC),
        "deaf": _binary(
            topics,
            "Deaf",
            "{{ 'ON' if value_json.hearing == 'deaf' else 'OFF' }}",
            device_class="problem",
            **DIAGNOSTIC,
        ),
        "muted": _binary(topics, "Muted", on % "muted", icon="mdi:microphone-off"),
    }


def _events(topics: Topics) -> dict[str, Component]:
    return {
        "button": {
            "p": "event", "name": "Button", "state_topic": topics.of("event/button"), "device_class": "button",
            "event_types": list(GESTURES),
        },
        "wake": {"p": "event", "name": "Wake word", "state_topic": topics.of("event/wake"), "event_types": ["wake"]},
    }  # fmt: skip


def _controls(topics: Topics) -> dict[str, Component]:
    def button(name: str, command: str, payload: str = "{}", **more: Any) -> Component:
        return {
            "p": "button",
            "name": name,
            "command_topic": topics.of(f"cmd/{command}"),
            "payload_press": payload,
            **more,
        }

    return {
        "listen": button("Listen", "listen", icon="mdi:microphone"),
        "stop": button("Stop", "stop", icon="mdi:stop"),
        "self_test": button("Self-test", "self_test", **DIAGNOSTIC),
        "refresh_home": button("Refresh names", "refresh_home", **CONFIG),
        "restart_sound": button(
            "Restart ear", "restart_engine", '{"engine":"sound"}', device_class="restart", **CONFIG
        ),
        "volume": {
            "p": "number", "name": "Volume", "command_topic": topics.of("cmd/volume"),
            "command_template": '{"percent": {{ value | int }}}', "state_topic": topics.of("state"),
            "value_template": "{{ value_json.volume_percent }}", "min": 0, "max": 100, "step": 5,
            "unit_of_measurement": "%", "icon": "mdi:volume-high",
        },
        "mute": {
            "p": "switch", "name": "Mute", "command_topic": topics.of("cmd/mute"), "state_topic": topics.of("state"),
            "payload_on": '{"muted":true}', "payload_off": '{"muted":false}',
            "value_template": "{{ 'ON' if value_json.muted else 'OFF' }}", "state_on": "ON", "state_off": "OFF",
            "icon": "mdi:microphone-off",
        },
        "announce": {
            "p": "notify", "name": "Announce", "command_topic": topics.of("cmd/say"),
            "command_template": '{"text": {{ value | tojson }} }',
        },
    }  # fmt: skip
