"""In: the name of a part. Out: settings with that part switched off, for `bench latency --without`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from appliance.settings import Settings

ALL = "all"
"""Every part, one after the other."""


def _off(section: str, **fields: Any) -> Callable[[Settings], Settings]:
    """Settings with fields of one section changed."""

    def change(settings: Settings) -> Settings:
        changed = getattr(settings, section).model_copy(update=fields)
        return settings.model_copy(update={section: changed})

    return change


def _fixed_wait(settings: Settings) -> Settings:
    """The same silence after every utterance, as satellites without words have it: Home Assistant's 0.7 s."""
    wait_ms = 700
    waits = ("complete_wait_ms", "detail_wait_ms", "extendable_wait_ms", "single_word_wait_ms", "incomplete_wait_ms")
    return _off("conversation", **dict.fromkeys(waits, wait_ms))(settings)


PARTS: dict[str, Callable[[Settings], Settings]] = {
    "words": _fixed_wait,
    "flush": _off("conversation", flush=False),
    "prepare": _off("conversation", prepare=False),
    "cache": _off("tts", cache_mb=0, warm=False),
    "grammar": _off("stt", engine="sherpa"),
}
"""What `--without` can switch off; `words` is the end of speech that looks at what was said."""


def chosen(names: tuple[str, ...]) -> tuple[str, ...]:
    """The parts that were asked for, each once."""
    return tuple(PARTS) if ALL in names else tuple(dict.fromkeys(names))
