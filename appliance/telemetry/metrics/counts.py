"""In: what engines, panel and mind count of themselves. Out: the values among them that have a budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance.telemetry.device import EngineFacts, Source
from appliance.telemetry.metrics.processes import Use
from appliance.telemetry.metrics.rates import Rate
from appliance.telemetry.metrics.windows import percentile

LEAST_LOOKUPS = 20
"""Fewer look-ups than this say nothing of a cache."""
LEAST_LEDS = 5
"""Fewer wake words than this say nothing of the LEDs."""
LEAST_SPEECH_S = 10.0
"""Less synthesised speech than this gives no real-time factor."""
MIC_RATE_HZ = 16000
"""Of the microphone's time line (wire.sound)."""


@dataclass(slots=True)
class Counts:
    """Remembers the wake words' CPU time, to give its rate."""

    _wake: Rate = field(default_factory=Rate)

    def values(self, source: Source, uses: Mapping[str, Use]) -> dict[str, float | None]:
        """By budget name; None where nothing is known, or too little to judge."""
        engines = source.engines()
        sound, tts = _counters(engines, "sound"), _counters(engines, "tts")
        return {
            "capture_ms": sound.get("capture_ms") or None,  # 0: no period came yet; a feed has no card to wait for
            "front_end_ms": sound.get("front_end_ms") or None,
            "cpu_wake_ratio": self._wake_ratio(sound),
            "led_ms": _led_ms(source),
            "stt_model_mb": _model_mb("stt", engines, uses),
            "tts_voice_mb": _model_mb("tts", engines, uses),
            "tts_rtf": _share(tts.get("synthesis_s", 0.0), tts.get("speech_s", 0.0), LEAST_SPEECH_S),
            "tts_cache_mb": tts["cache_bytes"] / 1e6 if "cache_bytes" in tts else None,
            "tts_cache_hit_rate": _phrase_hits(tts),
            "intent_cache_hit_rate": _share(*source.intent_lookups(), LEAST_LOOKUPS),
            "engines_down": float(sum(facts.breaker_open for facts in engines.values())),
        }

    def _wake_ratio(self, counters: Mapping[str, float]) -> float | None:
        """CPU seconds a second of captured audio, not of time: a feed may be faster than that."""
        if "wake_cpu_s" not in counters:
            return None
        return self._wake.add(counters.get("frames", 0.0) / MIC_RATE_HZ, counters["wake_cpu_s"])


def _counters(engines: Mapping[str, EngineFacts], name: str) -> Mapping[str, float]:
    return engines[name].counters if name in engines else {}


def _share(part: float, whole: float, least: float) -> float | None:
    return part / whole if whole >= least else None


def _led_ms(source: Source) -> float | None:
    delays_ms = list(source.led_ms())
    return percentile(delays_ms, 0.95) if len(delays_ms) >= LEAST_LEDS else None


def _model_mb(name: str, engines: Mapping[str, EngineFacts], uses: Mapping[str, Use]) -> float | None:
    """What the engine's process holds beyond what it held before it loaded its model: the model and its work."""
    bare_mb, use = _counters(engines, name).get("bare_mb"), uses.get(name)
    if bare_mb is None or use is None or use.pss_mb is None:
        return None
    return max(0.0, use.pss_mb - bare_mb)


def _phrase_hits(tts: Mapping[str, float]) -> float | None:
    """Share of spoken pieces that the cache held; what was warmed ahead was missed on purpose."""
    hits = tts.get("cache_hits", 0.0)
    misses = max(0.0, tts.get("cache_misses", 0.0) - tts.get("warmed", 0.0))
    return _share(hits, hits + misses, LEAST_LOOKUPS)
