"""In: nothing. Out: every board that is known, a line each."""

from __future__ import annotations

from appliance.errors import SettingsError
from appliance.panel.boards import (
    respeaker_2mic_v1,
    respeaker_2mic_v2,
    respeaker_4mic,
    respeaker_6mic,
    usb_4mic,
    virtual,
    xvf3800,
)
from appliance.panel.boards.board import Board

BOARDS: tuple[Board, ...] = (
    respeaker_2mic_v1.BOARD,
    respeaker_2mic_v2.BOARD,
    respeaker_6mic.BOARD,  # before the 4-Mic, whose codec it has as well
    respeaker_4mic.BOARD,
    usb_4mic.BOARD,
    xvf3800.BOARD,
    virtual.BOARD,
)


def by_name(name: str, setting: str = "panel.board") -> Board:
    """The board of that name, which `setting` gave. Raises SettingsError that lists the names there are."""
    for board in BOARDS:
        if board.name == name:
            return board
    names = ", ".join(board.name for board in BOARDS)
    raise SettingsError("unknown-board", f"{setting}: no board '{name}' is known; there are auto, none, {names}.")
