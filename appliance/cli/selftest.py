"""A spoken turn with nobody there: the voice says a sentence, the program hears it as from its microphone and answers."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import tempfile
import wave
from pathlib import Path

import numpy as np

from appliance import app, catalogue
from appliance.app import Appliance
from appliance.cli.replay import line
from appliance.cli.run import log_to_stderr
from appliance.errors import TtsError
from appliance.replay.feed import feed_settings
from appliance.replay.player import Played, Player
from appliance.replay.recording import load
from appliance.settings import Settings
from appliance.settings import load as load_settings

EXAMPLE = "appliance selftest --json"
SENTENCES = {"en": "what time is it", "de": "wie spät ist es", "fr": "quelle heure est-il", "es": "qué hora es"}
"""By language: a question that needs neither home server nor state, and changes nothing."""
SAY_S = 30.0
FRAME_S = 0.02
AUDIBLE = 200.0
"""Root mean square of a frame, of 32768: quieter counts as silence (-44 dBFS)."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--text", help="the sentence; without one the time is asked for")
    parser.add_argument("--json", action="store_true", help="one JSON object, as of replay, and `reply_s`")


def run(args: argparse.Namespace) -> int:
    settings, _ = load_settings(args.config, args.assignments)
    log_to_stderr("ERROR")
    language = settings.device.language.split("-")[0]
    played, reply_s = asyncio.run(_turn(settings, args.text or SENTENCES.get(language, SENTENCES["en"])))
    if args.json:
        # Not the words: the self-test's record goes to the fleet's operator.
        told = {
            key: value for key, value in line(played).items() if key not in ("transcript", "reply", "slots", "file")
        }
        print(json.dumps({**told, "reply_s": round(reply_s, 2)}))
    else:
        answer_ms = played.record.ms.get("response")
        after = "" if answer_ms is None else f" after {answer_ms:.0f} ms"
        print(f"{played.record.outcome.value}{after}, {reply_s:.1f} s of speech")
    return 0 if played.record.outcome.value == "answered" and reply_s > 0 else 1


async def _turn(settings: Settings, text: str) -> tuple[Played, float]:
    with tempfile.TemporaryDirectory(prefix="appliance-selftest-") as name:
        folder = Path(name)
        settings = feed_settings(settings, folder, 1.0)
        async with app.running(settings, catalogue.resolve(settings)) as appliance:
            if not await appliance.wait_ready():
                logging.getLogger(__name__).warning("Not every engine is ready.")
            spoken = folder / "sentence.wav"
            async with asyncio.timeout(SAY_S):
                await _speak(appliance, text, spoken)
            played = await Player(appliance, "button", True, folder).play(load(spoken))
            reply = folder / "sentence.reply.wav"
            heard_s = audible_s(reply) if reply.is_file() else 0.0
            return played, heard_s


async def _speak(appliance: Appliance, text: str, file: Path) -> None:
    """The sentence in the device's own voice, with silence around it."""
    saying = appliance.voice.say(text)
    try:
        audio = b"".join([piece async for piece in saying.pieces()])
    finally:
        saying.close()
    if not audio:
        raise TtsError("silent", "The voice made no sound of the sentence.")
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(saying.rate_hz)
        quiet = bytes(2 * (saying.rate_hz // 4))
        out.writeframes(quiet + audio + quiet * 6)


def audible_s(file: Path) -> float:
    """Seconds of a WAV (mono, 16 bits) in which something can be heard."""
    with wave.open(str(file)) as recording:
        rate_hz = recording.getframerate()
        samples = np.frombuffer(recording.readframes(recording.getnframes()), np.int16).astype(np.float64)
    frame = max(1, int(FRAME_S * rate_hz))
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    return float((np.sqrt((frames**2).mean(axis=1)) > AUDIBLE).sum()) * FRAME_S if len(frames) else 0.0
