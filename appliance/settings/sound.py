"""The ear and the mouth: cards, front end, voice activity, wake words."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from appliance.settings.base import Section


class SoundSettings(Section):
    source: Literal["alsa", "feed"] = Field(
        "alsa", description="Where samples come from: the sound card, or recordings fed over a socket (replay)."
    )
    capture: str = Field("default", min_length=1, description="ALSA name of the microphone.")
    playback: str = Field("default", min_length=1, description="ALSA name of the loudspeaker.")
    rate_hz: int = Field(16000, ge=8000, le=192000, description="Capture rate asked of the card, hertz.")
    board: str = Field(
        "auto",
        min_length=1,
        description="Microphone board whose raw channels are heard as an array: auto (the board that is found), none (one "
        "microphone) or a board's name.",
    )
    channels: int = Field(1, ge=1, le=16, description="Capture channels asked of the card where no array is heard.")
    channel: int = Field(
        0, ge=0, le=15, description="The channel that is listened to where no array is, counted from 0."
    )
    period_ms: int = Field(10, ge=5, le=80, description="Length of one capture period, milliseconds.")
    playback_buffer_ms: int = Field(60, ge=20, le=500, description="Loudspeaker buffer, milliseconds.")
    preroll_s: float = Field(3.0, ge=2.0, le=10.0, description="Audio kept in the ring buffer, seconds.")
    lead_in_ms: int = Field(0, ge=0, le=500, description="Silence before a reply, for cards that clip starts, ms.")
    echo_cancel: bool = Field(
        True, description="Remove the device's own voice from what the microphone hears while it speaks."
    )
    volume_percent: int = Field(70, ge=0, le=100, description="Loudness of the voice at first start, percent.")
    stall_s: float = Field(1.0, ge=0.2, le=10.0, description="No frame for this long means deaf, seconds.")
    feed_speed: float = Field(
        1.0, ge=0.0, le=100.0, description="Pace of the feed; 1 is real time, 0 as fast as can be."
    )


class WakeSettings(Section):
    engine: Literal["microwakeword", "porcupine", "none"] = Field(
        "microwakeword", description="Wake engine; 'none' leaves the button."
    )
    words: tuple[str, ...] = Field(("alexa",), max_length=8, description="Wake words that are active.")
    stop_word: bool = Field(
        True,
        description="Where microWakeWord's model 'stop' is at hand, the word alone silences the reply or the alarm; "
        "it counts only while the device sounds.",
    )
    cutoffs: dict[str, float] = Field(
        default_factory=dict,
        description="Score, 0..1, from which a word counts; per word; the model's own without one.",
    )
    speaking_cutoff_add: float = Field(
        0.02, ge=0.0, le=0.5, description="Added to the cutoff while the device itself speaks."
    )
    near_miss_ratio: float = Field(
        0.5, ge=0.1, le=1.0, description="Share of the cutoff from which a score is reported as a near miss."
    )
    refractory_s: float = Field(1.0, ge=0.2, le=5.0, description="Time after a wake in which none follows, seconds.")
    model_dir: Path | None = Field(
        None, description="More wake models (NAME.tflite and NAME.json) are looked for here."
    )
    access_key_file: Path | None = Field(None, description="File with the access key of Porcupine.")


class VadSettings(Section):
    threshold: float = Field(0.5, ge=0.05, le=0.95, description="Speech probability from which a frame is speech.")
