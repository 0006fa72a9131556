"""In: what is known of the device. Out: the bodies of its messages, as the schemas describe them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from appliance.events import (
    MEASURES_MS,
    ButtonPressed,
    DeviceEvent,
    EngineChanged,
    HearingChanged,
    MuteChanged,
    NearMiss,
    PartFailed,
    State,
    TimerChanged,
    TurnRecord,
    WakeDetected,
)
from appliance.telemetry.device import EngineFacts, Source
from appliance.telemetry.metrics.measures import Look, process_table
from appliance.telemetry.metrics.windows import Turns


def turn_body(record: TurnRecord, transcripts: bool) -> dict[str, Any]:
    """One turn. What was said and answered, and slots, only where the owner wants it."""
    body: dict[str, Any] = {
        "turn": record.turn,
        "outcome": record.outcome.value,
        "cause": record.cause,
        "intent": record.intent,
        "confidence": record.confidence,
        "wake_word": record.wake_word,
        "wake_score": record.wake_score,
        "noise_dbfs": record.noise_dbfs,
        "engine_restarts": record.engine_restarts,
        "prepared": record.prepared,
        "wasted": record.wasted,
        "cached": record.cached,
        "failed": record.error is not None,
        "ms": {name: record.ms.get(name) for name in MEASURES_MS},
    }
    if transcripts:
        body |= {"transcript": record.transcript, "reply": record.reply, "slots": record.slots}
    return body


def event_of(event: DeviceEvent) -> tuple[str, dict[str, Any]] | None:
    """(name of the event's topic, body); None for what is told otherwise or not at all."""
    match event:
        case ButtonPressed():
            return "button", {"event_type": event.gesture}
        case WakeDetected():
            return "wake", {
                "event_type": "wake",
                "wake_word": event.wake_word,
                "score": event.score,
                "level_dbfs": event.level_dbfs,
                "direction_deg": event.direction_deg,
            }
        case NearMiss():
            return "near_miss", {
                "event_type": "near_miss",
                "wake_word": event.wake_word,
                "score": event.score,
            }
        case HearingChanged():
            return "hearing", {"event_type": event.hearing.value, "reason": event.reason}
        case EngineChanged():
            return "engine", {
                "event_type": event.change,
                "engine": event.engine,
                "reason": event.reason,
                "restarts": event.restarts,
            }
        case PartFailed():
            return "part", {
                "event_type": "failed",
                "part": event.part,
                "error": event.error,
                "failures": event.failures,
            }
        case MuteChanged():
            return "mute", {"event_type": "muted" if event.muted else "unmuted"}
        case TimerChanged():
            return "timer", {
                "event_type": event.change,
                "timer": event.timer,
                "remaining_s": event.remaining_s,
                "total_s": event.total_s,
            }
    return None


def state_body(source: Source, states: Iterable[State], turns: Turns, alerts: Iterable[str]) -> dict[str, Any]:
    """What the device shows now. `state` is the most urgent of those that hold."""
    holding = set(states)
    hearing, reason = source.hearing()
    names = list(alerts)
    last = turns.last
    return {
        "state": next((state.value for state in State if state in holding), State.IDLE.value),
        "states": [state.value for state in State if state in holding],
        "hearing": hearing.value,
        "deaf_reason": reason if hearing.value == "deaf" else None,
        "muted": source.muted(),
        "volume_percent": source.volume_percent(),
        "problem": bool(names),
        "alerts": names,
        "last_intent": last.intent if last else None,
        "last_outcome": last.outcome.value if last else None,
        "last_response_ms": last.ms.get("response") if last else None,
    }


def engine_table(engines: Mapping[str, EngineFacts]) -> dict[str, Any]:
    """For messages: engine → its health and counters."""
    return {
        name: {
            "ready": facts.ready,
            "restarts": facts.restarts,
            "breaker_open": facts.breaker_open,
            "counters": {key: round(value, 3) for key, value in facts.counters.items()},
        }
        for name, facts in engines.items()
    }


def metrics_body(
    source: Source, look: Look, turns: Turns, measures: Mapping[str, float | None], extra: Mapping[str, Any]
) -> dict[str, Any]:
    """One look at everything; null where a value is missing."""
    return {
        "window": {"turns": turns.counted, "most_turns": turns.most},
        "turns": {"total": turns.total, "outcomes": dict(turns.outcomes)},
        "ms": turns.times(),
        "measures": {name: None if value is None else round(value, 4) for name, value in measures.items()},
        "engines": engine_table(source.engines()),
        "processes": process_table(look),
        "board": asdict(look.board),
        "dropped": dict(source.dropped()),
        **extra,
    }
