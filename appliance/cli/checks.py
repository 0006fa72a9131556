"""In: the settings and this machine. Out: for each thing the device needs, a verdict and what to do about it."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from home_assistant_intents import get_languages

from appliance.catalogue.resolve import resolve
from appliance.catalogue.stand_in import LIBRARY, stand_ins, what_it_hears
from appliance.errors import ModelError, SettingsError
from appliance.hardware.cards import Direction, stream
from appliance.settings import Settings
from appliance.settings.faults import did_you_mean
from appliance.telemetry.mqtt.probe import probe

Verdict = Literal["ok", "warning", "wrong"]
MODULES = (
    "alsaaudio",
    "ai_edge_litert.interpreter",
    "pymicro_features",
    "sherpa_onnx",
    "onnxruntime",
    "kaldi_native_fbank",
    "pocketsphinx",
    "hassil",
    "home_assistant_intents",
    "wyoming",
    "gpiozero",
    "spidev",
    "paho.mqtt",
    "livekit.rtc",
)
"""Imported for real, in a child: a wheel can be installed and yet fail at import."""
IMPORT_TIMEOUT_S = 60.0
GROUPS = {"audio": ("snd/pcm*", "snd/control*"), "gpio": ("gpiochip*",), "spi": ("spidev*",), "i2c": ("i2c-*",)}
LITTLE_SPACE_BYTES, NO_SPACE_BYTES = 1_000_000_000, 100_000_000
"""The phrase cache takes up to 500 MB, a standard profile 70 MB."""
BROKER_TIMEOUT_S = 3.0
MQTT_FILES = ("ca_file", "cert_file", "key_file", "password_file")
TIME_ERROR = 5
"""Answer of adjtimex(2) while the clock is not synchronised."""


@dataclass(frozen=True, slots=True)
class Check:
    """The answer to one question."""

    name: str
    verdict: Verdict
    found: str
    remedy: str = ""


def check_python() -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", "ok", f"{version}, {sys.executable}")  # older ones fail at the first import


def check_packages() -> Iterator[Check]:
    code = (
        "import importlib, json, sys\n"
        "wrong = {}\n"
        "for name in sys.argv[1:]:\n"
        "    try: importlib.import_module(name)\n"
        "    except Exception as error: wrong[name] = str(error).splitlines()[0] if str(error) else repr(error)\n"
        "print('\\n' + json.dumps(wrong))"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, *MODULES],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=IMPORT_TIMEOUT_S,
            check=False,
        )
        wrong = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, ValueError, IndexError):
        wrong = {"packages": "importing them ends or blocks the interpreter"}
    remedy = "reinstall: pip install --force-reinstall appliance"
    if not wrong:
        yield Check("packages", "ok", f"{len(MODULES)} import")
    for name, why in wrong.items():
        yield Check("packages", "wrong", f"{name}: {why}", remedy)


def check_espeak() -> Iterator[Check]:
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        yield Check("espeak-ng", "wrong", f"{LIBRARY} is missing", "apt-get install libespeak-ng1 espeak-ng")
        return
    yield Check("espeak-ng", "ok", f"{LIBRARY} loads")


def check_clock() -> Iterator[Check]:
    synchronised = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(256)) != TIME_ERROR  # struct timex: 208 bytes
    if synchronised:
        yield Check("clock", "ok", "synchronised")
    else:
        yield Check("clock", "warning", "not synchronised", "timedatectl set-ntp true, or look at the network")


def check_permissions(dev: Path = Path("/dev")) -> Iterator[Check]:
    for group, patterns in GROUPS.items():
        files = [path for pattern in patterns for path in dev.glob(pattern)]
        closed = [path for path in files if not os.access(path, os.R_OK | os.W_OK)]
        if closed:
            remedy = f"usermod -aG {group} USER, then log in again (the service has the group)"
            yield Check(f"group {group}", "wrong", f"no permission for {closed[0]}", remedy)
        else:
            yield Check(f"group {group}", "ok", f"{len(files)} devices usable" if files else "no such device here")


def check_card(settings: Settings) -> Iterator[Check]:
    directions: tuple[Direction, ...] = ("capture", "playback")
    for direction in directions:
        pcm = str(getattr(settings.sound, direction))
        found = stream(pcm, direction)
        if found.error is None:
            yield Check(direction, "ok", f"{pcm} opens, {max(found.channels)} channels at most")
        else:
            remedy = f"set sound.{direction} to a PCM of `appliance devices` that is free"
            yield Check(direction, "wrong", f"{pcm}: {found.error}", remedy)


def check_models(settings: Settings) -> Iterator[Check]:
    try:
        models = resolve(settings)
    except ModelError as error:
        yield Check("models", "wrong", error.message, "appliance models fetch")
        return
    for problem in models.problems:
        yield Check("models", "wrong", problem, "appliance models fetch")
    starters = {"stt": "pocketsphinx", "tts": "espeak-ng"}
    for stage, starter in starters.items():
        model, section = getattr(models, stage), getattr(settings, stage)
        if model is not None and stage == "stt" and model.name in stand_ins(settings.device.language):
            found = what_it_hears(model.name, settings.device.language)
            yield Check(f"model {stage}", "warning", found, "appliance models fetch")
        elif model is not None:
            yield Check(f"model {stage}", "ok", f"{model.name} ({model.language})")
        elif section.uri is not None:
            yield Check(f"model {stage}", "ok", f"elsewhere: {section.uri}")
        elif section.engine != "auto":
            yield Check(f"model {stage}", "ok", f"starter engine {starter}, as set")
        else:
            yield Check(f"model {stage}", "warning", f"none: starter engine {starter}", "appliance models fetch")
    yield Check("wake words", "ok", ", ".join(model.name for model in models.wake) or settings.wake.engine)


def check_folders(settings: Settings) -> Iterator[Check]:
    device = settings.device
    for name, folder in (("state folder", device.state_dir), ("runtime folder", device.runtime_dir)):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            yield Check(name, "wrong", f"{folder}: {error.strerror}", "make it, owned by the user of the service")
            continue
        if not os.access(folder, os.W_OK | os.X_OK):
            yield Check(name, "wrong", f"{folder} is not writable", f"chown it to user {os.geteuid()}")
        elif folder == device.runtime_dir and stat.S_IMODE(folder.stat().st_mode) & 0o077:
            yield Check(name, "wrong", f"{folder} is open to others", f"chmod 0700 {folder}")
        else:
            yield Check(name, "ok", str(folder))
    yield _space(device.state_dir)


def _space(folder: Path) -> Check:
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    found = f"{free / 1e9:.1f} GB free in {folder}"
    if free >= LITTLE_SPACE_BYTES:
        return Check("disk", "ok", found)
    return Check("disk", "wrong" if free < NO_SPACE_BYTES else "warning", found, "make room")


def check_broker(settings: Settings) -> Iterator[Check]:
    mqtt = settings.telemetry.mqtt
    if mqtt.host is None:
        yield Check("broker", "ok", "none is set")
        return
    where = f"{mqtt.host}:{mqtt.port}"
    try:
        trouble = asyncio.run(probe(mqtt, settings.device.id, BROKER_TIMEOUT_S))
    except SettingsError as error:
        trouble = error.message
    if trouble is None:
        yield Check("broker", "ok", f"{where} lets this device in")
    else:
        yield Check("broker", "wrong", f"{where}: {trouble}", "see to the broker, or correct telemetry.mqtt")


def check_settings(settings: Settings) -> Iterator[Check]:
    """What `config check` looks at beside the values: whether they fit this machine and its files. Opens no device."""
    yield from check_language(settings)
    yield from check_models(settings)
    yield from check_files(settings)
    yield from check_channels(settings)


def check_language(settings: Settings) -> Iterator[Check]:
    language = settings.device.language
    spoken = {name.split("-")[0] for name in get_languages()}
    if language.split("-")[0] in spoken:
        yield Check("language", "ok", language)
        return
    near = did_you_mean(language.split("-")[0], spoken)
    yield Check("language", "wrong", f"nothing is understood in '{language}'.{near}", "correct device.language")


def check_files(settings: Settings) -> Iterator[Check]:
    """Every file that a setting names can be read."""
    named: list[tuple[str, Path | None]] = [
        *(("intents.sentences", file) for file in settings.intents.sentences),
        ("intents.home_file", settings.intents.home_file),
        ("wake.model_dir", settings.wake.model_dir),
        ("wake.access_key_file", settings.wake.access_key_file),
        ("models.mirror", settings.models.mirror),
        *((f"telemetry.mqtt.{key}", getattr(settings.telemetry.mqtt, key)) for key in MQTT_FILES),
    ]
    for name, file in named:
        if file is not None and not os.access(file, os.R_OK):
            what = "cannot be read by this user" if file.exists() else "is not there"
            yield Check(name, "wrong", f"{file} {what}", f"make the file, or correct {name}")


def check_channels(settings: Settings) -> Iterator[Check]:
    sound = settings.sound
    if sound.channel < sound.channels:
        return
    found = f"channel {sound.channel} of {sound.channels}: they are counted from 0"
    yield Check("sound.channel", "wrong", found, f"set it to 0 … {sound.channels - 1}, or raise sound.channels")


MACHINE_CHECKS: tuple[Callable[[], Iterator[Check]], ...] = (
    check_python,
    check_packages,
    check_espeak,
    check_clock,
    check_permissions,
)
SETTINGS_CHECKS: tuple[Callable[[Settings], Iterator[Check]], ...] = (check_models, check_folders, check_broker)
