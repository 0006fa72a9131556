"""The recogniser, the synthesiser and where their models come from."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from appliance.settings.base import Section


class SttSettings(Section):
    engine: Literal["auto", "grammar", "sherpa", "pocketsphinx"] = Field(
        "auto",
        description="grammar: constrained search beside the free one; sherpa: free text with hotwords; "
        "pocketsphinx: starter engine without downloads; auto: the best that the models at hand allow.",
    )
    uri: str | None = Field(None, description="Wyoming service used instead of our own: unix:///… or tcp://HOST:PORT.")
    model: str | None = Field(None, description="Model of the catalogue; without one the profile's.")
    threads: int = Field(1, ge=1, le=4, description="Threads of the neural network.")
    beam: int = Field(200, ge=8, le=1000, description="Hypotheses kept by the constrained search.")
    blank_penalty: float = Field(
        1.5, ge=0.0, le=5.0, description="Taken from the blank's log probability, natural log."
    )
    internal_lm: float = Field(
        0.3, ge=0.0, le=1.0, description="Share of the decoder's own language model taken back in the grammar's search."
    )


class TtsSettings(Section):
    engine: Literal["auto", "sherpa", "espeak"] = Field(
        "auto", description="sherpa: neural voice; espeak: starter engine without downloads; auto: what is at hand."
    )
    uri: str | None = Field(None, description="Wyoming service used instead of our own: unix:///… or tcp://HOST:PORT.")
    voice: str | None = Field(None, description="Voice of the catalogue; without one the profile's.")
    threads: int = Field(1, ge=1, le=4, description="Threads of the neural network.")
    speed: float = Field(1.0, ge=0.5, le=2.0, description="Speaking rate; 1 is the voice's own.")
    cache_mb: int = Field(500, ge=0, le=4000, description="Phrase cache on disk, megabytes; 0 switches it off.")
    cache_dir: Path | None = Field(
        None, description="Folder of the phrase cache; without one, 'phrases' in the state directory."
    )
    warm: bool = Field(True, description="Fill the cache with what the device can say, when idle.")


class ModelSettings(Section):
    profile: Literal["auto", "tiny", "standard", "best", "dev"] = Field(
        "auto", description="Profile of the catalogue; auto: what is fetched or a mirror holds, else starter engines."
    )
    dir: Path | None = Field(
        None, description="Folder of fetched models; without one, 'models' in the state directory."
    )
    mirror: Path | None = Field(None, description="Folder from which files are taken instead of the network.")
