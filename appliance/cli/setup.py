"""Ask what this device needs (or take it from flags), write its commented settings file, and say hello."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.cli.checks import BROKER_TIMEOUT_S, check_settings
from appliance.cli.level import measured_level
from appliance.errors import ApplianceError, SettingsError, UsageError
from appliance.panel.boards.detect import detect
from appliance.settings import DEFAULT_FILE, Settings, load
from appliance.settings.describe import commented_toml
from appliance.telemetry.mqtt.probe import probe

EXAMPLE = "appliance setup --area Kitchen --wake-word okay_nabu --broker homeassistant.local --yes"
CREDENTIALS = "credentials"
QUIET_DBFS, LOUD_DBFS = -55.0, -6.0
"""A voice a metre away lies between; outside, the level is said to be wrong."""

Ask = Callable[[str, str], str]
"""(question, what an empty answer means) → the answer."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--file", type=Path, default=DEFAULT_FILE, metavar="FILE", help=f"settings file, {DEFAULT_FILE}"
    )
    parser.add_argument("--yes", action="store_true", help="ask nothing: flags, and what was set before, decide")
    parser.add_argument("--name", help="name for people")
    parser.add_argument("--area", help="the room it stands in, as the home server calls it")
    parser.add_argument("--language", help="language spoken with it (BCP 47)")
    parser.add_argument("--wake-word", metavar="WORD", help="alexa, okay_nabu, hey_jarvis, hey_mycroft …")
    parser.add_argument("--board", help="microphone board; without it the one that is recognised")
    parser.add_argument("--capture", metavar="PCM", help="ALSA name of the microphone")
    parser.add_argument("--playback", metavar="PCM", help="ALSA name of the loudspeaker")
    parser.add_argument("--broker", metavar="HOST[:PORT]", help="MQTT broker of the home server; 'none': no broker")
    parser.add_argument("--user", help="account at the broker")
    parser.add_argument(
        "--password-file", type=Path, metavar="FILE", help="file with its password; it is not asked for"
    )
    parser.add_argument("--no-tls", action="store_true", help="the broker speaks no TLS")
    parser.add_argument("--no-sound", action="store_true", help="neither listen to the microphone nor say hello")


def run(args: argparse.Namespace) -> int:
    if not args.yes and not sys.stdin.isatty():
        raise UsageError("no-terminal", "There is nobody to ask: give flags and --yes (`appliance setup --help`).")
    before = load(args.file if args.file.exists() else args.config, args.assignments, environ={})[0]
    ask: Ask = (lambda question, otherwise: otherwise) if args.yes else _ask
    values = answers(args, before, ask)
    mqtt_password(args, values, ask)
    settings = settings_of(values, before)
    for check in check_settings(settings):
        if check.verdict != "ok":
            print(f"! {check.name}: {check.found} → {check.remedy}")
    _broker(settings)
    write(args.file, values)
    print(f"Written: {args.file}. `appliance config check` judges it, an editor changes it.")
    if not args.no_sound:
        asyncio.run(_sound(settings))
    return 0


def answers(args: argparse.Namespace, before: Settings, ask: Ask) -> dict[str, Any]:
    """'section.field' → value, of all that differs from the defaults."""
    plain = Settings()
    found = [one.board.name for one in detect() if one.board is not None and one.usable]
    board = args.board or (found[0] if len(found) == 1 else before.panel.board)
    mqtt = before.telemetry.mqtt
    broker = args.broker or ask("MQTT broker of your home server (HOST or HOST:PORT, 'none')", mqtt.host or "none")
    host, _, port = broker.partition(":")
    if port and not (port.isdigit() and 0 < int(port) < 65536):
        raise UsageError("bad-broker", f"--broker takes HOST or HOST:PORT, not '{broker}'.")
    there = host not in ("", "none")
    tls = there and not args.no_tls and mqtt.tls
    values: dict[str, Any] = {
        "device.name": args.name or ask("Name of this device", before.device.name),
        "device.area": args.area or ask("The room it stands in", before.device.area or "") or None,
        "device.language": args.language or ask("Language", before.device.language),
        "wake.words": (args.wake_word,) if args.wake_word else (ask("Wake word", before.wake.words[0]),),
        "panel.board": ask(f"Board ({', '.join(found) or 'none was recognised'})", board),
        "sound.capture": args.capture or before.sound.capture,
        "sound.playback": args.playback or before.sound.playback,
        "telemetry.mqtt.host": host if there else None,
    }
    if there:
        values |= {
            "telemetry.mqtt.tls": tls,
            "telemetry.mqtt.port": int(port) if port else (8883 if tls else 1883),
            "telemetry.mqtt.username": args.user or ask("Account at the broker (empty: none)", mqtt.username or "") or None,
        }  # fmt: skip
    return {name: value for name, value in values.items() if value != _default(plain, name)}


def mqtt_password(args: argparse.Namespace, values: dict[str, Any], ask: Ask) -> None:
    """Where there is an account, its password goes into a file of its own (0600); the settings name the file."""
    if not values.get("telemetry.mqtt.username"):
        return
    if args.password_file is not None:
        values["telemetry.mqtt.password_file"] = args.password_file
        return
    file = args.file.parent / CREDENTIALS / "mqtt_password"
    if not args.yes and (word := getpass.getpass("Its password (empty: as it is): ")):
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as out:
                out.write(word)
        except OSError as error:
            raise SettingsError("unwritable", f"{file} cannot be written: {error.strerror}.") from error
    # The service reads a credential of this name by itself (systemd/appliance.service); another place has to be named.
    if file.exists() and args.file != DEFAULT_FILE:
        values["telemetry.mqtt.password_file"] = file


def settings_of(values: dict[str, Any], before: Settings) -> Settings:
    """Raises SettingsError for a value out of range."""
    tree = before.model_dump(exclude_defaults=True)
    for name, value in values.items():
        *path, key = name.split(".")
        table = tree
        for part in path:
            table = table.setdefault(part, {})
        table[key] = value
    try:
        return Settings.model_validate(tree)
    except ValueError as error:
        raise SettingsError("bad-value", f"An answer cannot be used: {error}") from error


def write(file: Path, values: dict[str, Any]) -> None:
    """The commented settings file; one that is there is kept beside it as FILE.before. Raises SettingsError."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            file.replace(file.with_name(f"{file.name}.before"))
        part = file.with_name(f".{file.name}.part")
        part.write_text(commented_toml(values), encoding="utf-8")
        part.replace(file)
    except OSError as error:
        raise SettingsError("unwritable", f"{file} cannot be written: {error.strerror}. Try it with sudo.") from error


def _default(settings: Settings, name: str) -> Any:
    value: Any = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _ask(question: str, otherwise: str) -> str:
    return input(f"{question} [{otherwise}]: ").strip() or otherwise


def _broker(settings: Settings) -> None:
    mqtt = settings.telemetry.mqtt
    if mqtt.host is None:
        print("Broker: none. Without one, everything local works; nothing is told to a home server.")
        return
    trouble = asyncio.run(probe(mqtt, settings.device.id, BROKER_TIMEOUT_S))
    print(f"Broker {mqtt.host}:{mqtt.port}: {'it lets this device in.' if trouble is None else trouble}")


async def _sound(settings: Settings) -> None:
    """The microphone's level while somebody speaks, then hello aloud. What fails is told; the settings are written."""
    print("Say something, for three seconds …", flush=True)
    try:
        level = await asyncio.to_thread(measured_level, settings.sound)
        print(f"Microphone: {level.peak_dbfs:.0f} dBFS at its loudest, {level.floor_dbfs:.0f} where it was quiet. "
              f"{verdict(level.peak_dbfs)}")  # fmt: skip
    except ApplianceError as error:
        print(f"Microphone: {error}")
    from appliance.cli.say import say  # the engines are a second's work: only here

    where = f" in the {settings.device.area}" if settings.device.area else ""
    try:
        await say(f"Hello. I am listening{where}. Say {settings.wake.words[0].replace('_', ' ')}.", settings)
    except ApplianceError as error:
        print(f"Loudspeaker: {error}")


def verdict(peak_dbfs: float) -> str:
    if peak_dbfs < QUIET_DBFS:
        return "That is too quiet: turn up its capture volume (alsamixer), or come nearer."
    if peak_dbfs > LOUD_DBFS:
        return "That is too loud: turn its capture volume down (alsamixer)."
    return "That is right."
