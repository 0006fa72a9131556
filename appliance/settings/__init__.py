"""In: one TOML file, the environment and --set. Out: frozen settings, each value with its origin.

Order, the last wins: built-in default, TOML file, environment (`APPLIANCE_SECTION__FIELD`), `--set section.field=value`.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from appliance.errors import SettingsError
from appliance.files import read_text
from appliance.settings.conversation import ConversationSettings, IntentSettings, TimerSettings
from appliance.settings.device import DeviceSettings
from appliance.settings.engines import ModelSettings, SttSettings, TtsSettings
from appliance.settings.faults import did_you_mean, line_of, lines_of, sentence
from appliance.settings.hub import HubSettings
from appliance.settings.panel import PanelSettings
from appliance.settings.sound import SoundSettings, VadSettings, WakeSettings
from appliance.settings.supervision import SupervisorSettings
from appliance.settings.telemetry import TelemetrySettings

MOST_BYTES = 256_000
"""Of a settings file; every setting written out has some 20 kB."""

DEFAULT_FILE = Path("/etc/appliance/appliance.toml")
PREFIX = "APPLIANCE_"


class Settings(BaseSettings):
    """Everything that can be set. `load` builds it; nothing else should."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid", validate_default=True
    )

    device: DeviceSettings = Field(default_factory=DeviceSettings, description="The device itself.")
    sound: SoundSettings = Field(default_factory=SoundSettings, description="Cards and audio path.")
    wake: WakeSettings = Field(default_factory=WakeSettings, description="Wake words.")
    vad: VadSettings = Field(default_factory=VadSettings, description="Voice activity.")
    stt: SttSettings = Field(default_factory=SttSettings, description="Speech to text.")
    tts: TtsSettings = Field(default_factory=TtsSettings, description="Text to speech.")
    models: ModelSettings = Field(default_factory=ModelSettings, description="Where models come from.")
    conversation: ConversationSettings = Field(default_factory=ConversationSettings, description="The turn.")
    timers: TimerSettings = Field(default_factory=TimerSettings, description="Timers and the alarm clock.")
    intents: IntentSettings = Field(default_factory=IntentSettings, description="What is understood.")
    supervisor: SupervisorSettings = Field(default_factory=SupervisorSettings, description="Child processes.")
    panel: PanelSettings = Field(default_factory=PanelSettings, description="LEDs, button and board.")
    telemetry: TelemetrySettings = Field(default_factory=TelemetrySettings, description="Budgets and MQTT.")

    hub: HubSettings = Field(default_factory=HubSettings, description="The home server's side (`appliance hub`).")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def load(
    file: Path | None = None, assignments: Sequence[str] = (), environ: Mapping[str, str] | None = None
) -> tuple[Settings, dict[str, str]]:
    """The effective settings and, for every `section.field` that is not a default, where it came from.

    `file` defaults to /etc/appliance/appliance.toml if that is there. Raises SettingsError with a sentence for every fault,
    naming the field and its origin, of a file with the line.
    """
    gathered = _Gathered()
    if file is None and DEFAULT_FILE.exists():
        file = DEFAULT_FILE
    if file is not None:
        gathered.take_file(file)
    gathered.take_environment(os.environ if environ is None else environ)
    gathered.take_assignments(assignments)
    return gathered.settings(), gathered.origins


def names() -> list[str]:
    """Every setting, as 'section.field'."""
    return [name for section, field in Settings.model_fields.items() for name in _names(section, field.annotation)]


def _names(prefix: str, model: Any) -> list[str]:
    if not hasattr(model, "model_fields"):
        return [prefix]
    return [name for key, field in model.model_fields.items() for name in _names(f"{prefix}.{key}", field.annotation)]


class _Gathered:
    """Values from everywhere, the last one wins, and all that is wrong with them."""

    def __init__(self) -> None:
        self.origins: dict[str, str] = {}
        self._tree: dict[str, dict[str, Any]] = {}
        self._faults: list[str] = []

    def take_file(self, file: Path) -> None:
        """Raises SettingsError where it is no TOML at all."""
        tree, lines = _read_toml(file)
        for section, table in tree.items():
            where = f"{file}, line {line_of(section, lines) or 1}"
            if section not in Settings.model_fields:
                self._faults.append(f"{where}: there is no section '{section}'.{did_you_mean(section, _sections())}")
                continue
            if not isinstance(table, dict):
                self._faults.append(f"{where}: '{section}' is not a section.")
                continue
            for key, value in _leaves(table, section):
                line = line_of(f"{section}.{key}", lines)
                self._put(section, key, value, f"{file}, line {line}" if line else str(file))

    def take_environment(self, environ: Mapping[str, str]) -> None:
        for variable, text in sorted(environ.items()):
            if not variable.startswith(PREFIX):
                continue
            section, dot, key = variable[len(PREFIX) :].lower().partition("__")
            key = key.replace("__", ".")
            if not dot or not _known(section, key):
                near = did_you_mean(f"{section}.{key}", names())
                self._faults.append(f"The environment variable {variable} names no setting.{near}")
                continue
            self._put(section, key, _value(text), variable)

    def take_assignments(self, assignments: Sequence[str]) -> None:
        for assignment in assignments:
            name, equals, text = assignment.partition("=")
            section, dot, key = name.strip().partition(".")
            if not equals or not dot:
                self._faults.append(f"--set takes section.field=value, not '{assignment}'.")
            elif not _known(section, key):
                near = did_you_mean(name.strip(), names())
                self._faults.append(f"--set {name.strip()}: there is no such setting.{near}")
            else:
                self._put(section, key, _value(text), "--set")

    def settings(self) -> Settings:
        """Raises SettingsError that tells every fault, a line each."""
        try:
            made = Settings.model_validate(self._tree)
        except ValidationError as error:
            self._faults += [sentence(fault, self._where(fault["loc"]), names()) for fault in error.errors()]
            raise SettingsError("bad-value", "\n".join(self._faults)) from error
        if self._faults:
            raise SettingsError("unknown-key", "\n".join(self._faults))
        return made

    def _where(self, loc: Sequence[str | int]) -> str:
        """Who set the value at `loc`, or the part of it that is wrong."""
        parts = [str(part) for part in loc]
        for end in range(len(parts), 0, -1):
            if origin := self.origins.get(".".join(parts[:end])):
                return origin
        return ""

    def _put(self, section: str, key: str, value: Any, origin: str) -> None:
        table = self._tree.setdefault(section, {})
        if "." in key:  # telemetry.mqtt.host: a sub-section
            sub, _, leaf = key.partition(".")
            nested = table.setdefault(sub, {})
            if not isinstance(nested, dict):
                self._faults.append(f"{section}.{sub} is no table ({origin}).")
                return
            nested[leaf] = value
        else:
            table[key] = value
        self.origins[f"{section}.{key}"] = origin


def _read_toml(file: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """The file's tables, and the line of everything in it."""
    try:
        text = read_text(file, MOST_BYTES)
        return tomllib.loads(text), lines_of(text)
    except OSError as error:
        raise SettingsError("unreadable", f"{file} cannot be read: {error.strerror}.") from error
    except RecursionError as error:
        raise SettingsError("bad-toml", f"{file} is not valid TOML: it is nested too deeply.") from error
    except ValueError as error:  # TOMLDecodeError, Damaged, or a date that is none
        raise SettingsError("bad-toml", f"{file} is not valid TOML: {error}.") from error


def _sections() -> list[str]:
    return list(Settings.model_fields)


def _leaves(table: Mapping[str, Any], section: str, prefix: str = "") -> list[tuple[str, Any]]:
    """The (field, value) pairs of a section; a table that is itself a section's sub-section is opened."""
    pairs: list[tuple[str, Any]] = []
    for key, value in table.items():
        if isinstance(value, dict) and not prefix and _is_subsection(section, key):
            pairs += _leaves(value, section, f"{key}.")
        else:
            pairs.append((f"{prefix}{key}", value))
    return pairs


def _section_type(section: str) -> Any:
    field = Settings.model_fields.get(section)
    return None if field is None else field.annotation


def _is_subsection(section: str, key: str) -> bool:
    model = _section_type(section)
    field = model.model_fields.get(key) if model is not None else None
    return field is not None and hasattr(field.annotation, "model_fields")


def _known(section: str, key: str) -> bool:
    model = _section_type(section)
    for part in key.split("."):
        if model is None or not hasattr(model, "model_fields") or part not in model.model_fields:
            return False
        model = model.model_fields[part].annotation
    return True


def _value(text: str) -> Any:
    """A TOML value where the text is one, else the text itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text
