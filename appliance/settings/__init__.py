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
from appliance.settings.conversation import ConversationSettings, IntentSettings, TimerSettings
from appliance.settings.device import DeviceSettings
from appliance.settings.engines import ModelSettings, SttSettings, TtsSettings
from appliance.settings.panel import PanelSettings
from appliance.settings.sound import SoundSettings, VadSettings, WakeSettings
from appliance.settings.supervision import SupervisorSettings
from appliance.settings.telemetry import TelemetrySettings

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

    `file` defaults to /etc/appliance/appliance.toml if that is there. Raises SettingsError with one sentence that
    names the field and its origin.
    """
    environ = os.environ if environ is None else environ
    origins: dict[str, str] = {}
    tree: dict[str, dict[str, Any]] = {}

    def put(section: str, key: str, value: Any, origin: str) -> None:
        tree.setdefault(section, {})
        name = f"{section}.{key}"
        if "." in key:  # telemetry.mqtt.host: a sub-section
            sub, _, leaf = key.partition(".")
            nested = tree[section].setdefault(sub, {})
            if not isinstance(nested, dict):
                raise SettingsError("not-a-table", f"{section}.{sub} is no table ({origin}).")
            nested[leaf] = value
        else:
            tree[section][key] = value
        origins[name] = origin

    if file is None and DEFAULT_FILE.exists():
        file = DEFAULT_FILE
    if file is not None:
        for section, table in _read_toml(file).items():
            if not isinstance(table, dict):
                raise SettingsError("unknown-key", f"{file}: '{section}' is not a section.")
            for key, value in _leaves(table, section):
                put(section, key, value, str(file))
    for variable, text in sorted(environ.items()):
        if variable.startswith(PREFIX):
            section, dot, key = variable[len(PREFIX) :].lower().partition("__")
            key = key.replace("__", ".")
            if not dot or not _known(section, key):
                raise SettingsError("unknown-variable", f"The environment variable {variable} names no setting.")
            put(section, key, _value(text), variable)
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        section, dot, key = name.strip().partition(".")
        if not equals or not dot:
            raise SettingsError("bad-set", f"--set takes section.field=value, not '{assignment}'.")
        if not _known(section, key):
            raise SettingsError("unknown-key", f"--set {name.strip()}: there is no such setting.")
        put(section, key, _value(text), "--set")
    try:
        return Settings.model_validate(tree), origins
    except ValidationError as error:
        raise SettingsError("bad-value", _sentence(error, origins)) from error


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError("unreadable", f"{file} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError("bad-toml", f"{file} is not valid TOML: {error}.") from error


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
    except tomllib.TOMLDecodeError:
        return text


def _sentence(error: ValidationError, origins: Mapping[str, str]) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    origin = origins.get(name)
    where = f" ({origin})" if origin else ""
    if first["type"] == "extra_forbidden":
        return f"{name}{where}: there is no such setting."
    return f"{name}{where}: {first['msg'][0].lower()}{first['msg'][1:]}, not {first['input']!r}."
