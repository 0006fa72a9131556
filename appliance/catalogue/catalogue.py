"""In: models/catalog.toml. Out: its profiles and models, validated.

The file lives in models/ for people; `catalog.toml` beside this module is a symbolic link to it, which setuptools
follows when it builds a wheel. So the same look-up works in a checkout, in an editable and in an ordinary installation.
"""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from pydantic import ValidationError

from appliance.catalogue.entry import Entry, Profile, Stage
from appliance.errors import ModelError

BEST_FIRST = ("best", "standard", "tiny", "dev")
"""The order in which profile 'auto' looks for models that are already here."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    profiles: dict[str, Profile]
    models: dict[str, Entry]

    def entry(self, name: str, stage: Stage) -> Entry:
        """The model `name` of `stage`. Raises ModelError with the names there are."""
        entry = self.models.get(name)
        if entry is None or entry.stage != stage:
            names = ", ".join(sorted(e.name for e in self.models.values() if e.stage == stage))
            raise ModelError("unknown-model", f"The catalogue has no {stage} model '{name}'; it has {names}.")
        return entry

    def of_profile(self, name: str, language: str) -> list[Entry]:
        """The models of a profile for a language, stt, tts, vad. Raises ModelError for an unknown profile."""
        profile = self.profiles.get(name)
        if profile is None:
            raise ModelError("unknown-profile", f"There is no profile '{name}'; there are {', '.join(self.profiles)}.")
        stages: tuple[Stage, ...] = ("stt", "tts", "vad")
        picked = [(stage, profile.pick(stage, language)) for stage in stages]
        return [self.entry(model, stage) for stage, model in picked if model is not None]


@functools.cache
def read_catalogue() -> Catalogue:
    """The catalogue that this version was made with. Raises ModelError if it is damaged."""
    text = (files("appliance.catalogue") / "catalog.toml").read_text(encoding="utf-8")
    return parse_catalogue(text)


def parse_catalogue(text: str) -> Catalogue:
    """A catalogue from TOML. Raises ModelError naming the first wrong place."""
    try:
        tree: dict[str, Any] = tomllib.loads(text)
        models = {name: Entry(name=name, **table) for name, table in tree.get("models", {}).items()}
        profiles = {name: Profile(name=name, **table) for name, table in tree.get("profiles", {}).items()}
    except tomllib.TOMLDecodeError as error:
        raise ModelError("bad-catalogue", f"models/catalog.toml is not valid TOML: {error}.") from error
    except (ValidationError, TypeError) as error:
        raise ModelError("bad-catalogue", f"models/catalog.toml is wrong: {error}.") from error
    catalogue = Catalogue(profiles, models)
    for profile in profiles.values():
        for language in {*profile.stt, *profile.tts}:
            catalogue.of_profile(profile.name, language)  # raises where a profile names what is not there
    return catalogue
