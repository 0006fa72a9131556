"""The turn: how long it waits, what it understands, what it may do."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from appliance.settings.base import Section


class ConversationSettings(Section):
    no_speech_s: float = Field(6.0, ge=1.0, le=20.0, description="Nothing heard for this long ends the turn, seconds.")
    utterance_limit_s: float = Field(15.0, ge=3.0, le=60.0, description="Longest utterance, seconds.")
    complete_wait_ms: int = Field(190, ge=80, le=2000, description="Silence after a complete command, milliseconds.")
    detail_wait_ms: int = Field(240, ge=80, le=2000, description="Silence after one that may take one slot more, ms.")
    extendable_wait_ms: int = Field(400, ge=80, le=3000, description="Silence after one that may take several, ms.")
    single_word_wait_ms: int = Field(600, ge=80, le=3000, description="Silence after one short word alone, ms.")
    incomplete_wait_ms: int = Field(900, ge=200, le=5000, description="Silence after an unfinished one, ms.")
    stt_deadline_s: float = Field(2.0, ge=0.2, le=10.0, description="From end of speech to the final text, seconds.")
    intent_deadline_s: float = Field(1.0, ge=0.1, le=5.0, description="From the text to the intent, seconds.")
    action_deadline_s: float = Field(2.0, ge=0.2, le=10.0, description="From the intent to the reply text, seconds.")
    tts_deadline_s: float = Field(2.0, ge=0.2, le=10.0, description="From the reply text to its first sample, s.")
    play_deadline_s: float = Field(2.0, ge=0.2, le=10.0, description="Longest stall of the loudspeaker, seconds.")
    flush: bool = Field(True, description="Pad the recogniser at the first sign of silence instead of waiting a chunk.")
    prepare: bool = Field(True, description="Prepare the reply while the silence is still being watched.")
    follow_up: bool = Field(True, description="Listen again after the device asked something.")
    follow_up_turns: int = Field(3, ge=0, le=10, description="Follow-ups in a row at the most.")
    chime: bool = Field(False, description="Play a short tone when listening begins; the LEDs show it anyway.")


class TimerSettings(Section):
    ring_s: float = Field(
        600.0, ge=10.0, le=7200.0, description="An alarm or timer that nobody silences ends after this long, seconds."
    )


class IntentSettings(Section):
    sentences: tuple[Path, ...] = Field((), description="The owner's sentences, hassil YAML files.")
    builtin: bool = Field(True, description="Understand the built-in sentences as well.")
    accept_from: float = Field(0.4, ge=0.0, le=1.0, description="Confidence from which a command is taken, 0..1.")
    ask_within: float = Field(
        0.1, ge=0.0, le=1.0, description="A second reading this close in confidence makes the device ask back, 0..1."
    )
    home_file: Path | None = Field(None, description="JSON with rooms and device names, where no home server tells.")
