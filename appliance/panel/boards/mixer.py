"""In: a board's mixer profile. Out: the codec set to it, and what did not take: a silent HAT is a known pain."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import alsaaudio

from appliance.panel.boards.board import Board, Level

OpenControl = Callable[[str, int], Any]
"""(control, card) → alsaaudio.Mixer. Raises ALSAAudioError."""
CARDS = Path("/proc/asound/cards")


def apply(board: Board, cards: Path = CARDS, open_control: OpenControl | None = None) -> list[str]:
    """Sets the profile and reads it back; a sentence for everything that is wrong. Blocks for some milliseconds.

    The controls are apart from the PCM: the sound engine may hold the card meanwhile.
    """
    if not board.mixer:
        return []
    number = card_of(board, cards)
    if number is None:
        return [f"{board.title}: it has no sound card; load the overlay {board.overlay} (overlays/README.md)."]
    open_control = open_control or _open
    wrong = (_set(level, number, open_control) for level in board.mixer)
    return [f"{board.title}: {sentence}" for sentence in wrong if sentence]


def card_of(board: Board, cards: Path = CARDS) -> int | None:
    """The ALSA number of the board's card by any of its names; None where there is none."""
    try:
        text = cards.read_text(encoding="utf-8", errors="replace").lower()
    except OSError:
        return None
    for match in re.finditer(r"^ *(\d+) \[([^\]]*)\]: (.*)$", text, re.MULTILINE):
        words = f"{match[2].strip()} {match[3]}"
        if any(name in words for name in board.cards):
            return int(match[1])
    return None


def _open(control: str, card: int) -> Any:
    return alsaaudio.Mixer(control=control, cardindex=card)


def _set(level: Level, card: int, open_control: OpenControl) -> str | None:
    """None where the control is as it has to be."""
    try:
        mixer = open_control(level.control, card)
    except alsaaudio.ALSAAudioError as error:
        return f"the codec has no control '{level.control}' ({_text(error)})."
    try:
        return _set_open(level, mixer)
    except alsaaudio.ALSAAudioError as error:
        return f"'{level.control}' refuses its setting ({_text(error)})."
    finally:
        mixer.close()


def _set_open(level: Level, mixer: Any) -> str | None:
    side = alsaaudio.PCM_CAPTURE if level.capture else alsaaudio.PCM_PLAYBACK
    if level.raw is not None:
        mixer.setvolume(level.raw, alsaaudio.MIXER_CHANNEL_ALL, side, alsaaudio.VOLUME_UNITS_RAW)
        got = mixer.getvolume(side, alsaaudio.VOLUME_UNITS_RAW)
        if any(value != level.raw for value in got):
            return f"'{level.control}' stays at {got[0]} instead of {level.raw}."
    if level.on is not None:
        (mixer.setrec if level.capture else mixer.setmute)(int(level.on if level.capture else not level.on))
        values = mixer.getrec() if level.capture else mixer.getmute()
        if any(bool(value) is not (level.on if level.capture else not level.on) for value in values):
            return f"'{level.control}' does not switch {'on' if level.on else 'off'}."
    if level.choice is not None:
        current, choices = mixer.getenum()
        if level.choice not in choices:
            return f"'{level.control}' has no '{level.choice}'."
        if current != level.choice:
            mixer.setenum(choices.index(level.choice))
    return None


def _text(error: Exception) -> str:
    return str(error).split("[")[0].strip()
