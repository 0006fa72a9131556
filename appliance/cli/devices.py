"""Sound cards with their rates, channels and users; GPIO chip; buses."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from rich.console import Console

from appliance.cli.table import table
from appliance.hardware.buses import Bus, buses
from appliance.hardware.cards import Stream, cards, stream
from appliance.hardware.gpio import GpioChip, gpio_chips
from appliance.panel.boards.detect import Found, detect
from appliance.settings import load

EXAMPLE = "appliance devices --json"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    sound = load(args.config, args.assignments)[0].sound
    used = [stream(sound.capture, "capture"), stream(sound.playback, "playback")]
    found_cards, chips, found_buses, boards = cards(), gpio_chips(), buses(), detect()
    if args.json:
        tree: dict[str, list[dict[str, Any]]] = {
            "settings": [asdict(one) for one in used],
            "cards": [card.as_dict() for card in found_cards],
            "gpio_chips": [chip.as_dict() for chip in chips],
            "buses": [bus.as_dict() for bus in found_buses],
            "boards": [_board(found) for found in boards],
        }
        print(json.dumps(tree, indent=2))
        return 0
    console = Console()
    _print_streams(console, "The settings' own", [("", one) for one in used])
    if found_cards:
        _print_streams(console, "Sound cards", [(card.name, one) for card in found_cards for one in card.streams])
    else:
        console.print("No sound card: the kernel knows none (/proc/asound/cards).")
    _print_rest(console, chips, found_buses)
    _print_boards(console, boards)
    return 0


def _board(found: Found) -> dict[str, Any]:
    """What was recognised, why, and what one has to know of it."""
    board = found.board
    return {
        "board": board.name if board else None,
        "codec": board.codec if board else None,
        "channels": list(board.capture.roles) if board else [],
        "button_pin": board.button_pin if board else None,
        "leds": board.lights.shape.count if board and board.lights else 0,
        "overlay": board.overlay if board else None,
        "why": found.why,
        "usable": found.usable,
        "note": board.note if board else "",
    }


def _print_boards(console: Console, boards: tuple[Found, ...]) -> None:
    if not boards:
        console.print("No microphone board: no HAT EEPROM, no codec on I2C, no USB array.")
        return
    rows = table("board", "codec", "recognised by", "to know", title="Boards")
    for found in boards:
        title, codec = (found.board.title, found.board.codec) if found.board else ("unknown HAT", "?")
        rows.add_row(title, codec, found.why, found.board.note if found.board else "")
    console.print(rows)


def _print_streams(console: Console, title: str, rows: list[tuple[str, Stream]]) -> None:
    made = table("PCM", "direction", "channels", "rates (Hz)", "held by", title=title)
    for card, one in rows:
        name = f"{one.pcm} ({card})" if card else one.pcm
        made.add_row(name, one.direction, one.error or _range(one.channels), _range(one.rates_hz), one.holder or "-")
    console.print(made)


def _print_rest(console: Console, chips: list[GpioChip], found: list[Bus]) -> None:
    rows = table("device", "kind", "what", title="GPIO and buses")
    for chip in chips:
        rows.add_row(chip.path, "GPIO", f"{chip.label}, {chip.lines} lines{' (the header)' if chip.header else ''}")
    for bus in found:
        rows.add_row(bus.path, bus.kind, "usable" if bus.usable else "no permission for this user")
    if rows.row_count:
        console.print(rows)
    else:
        console.print("No GPIO chip, I2C or SPI bus.")


def _range(values: tuple[int, ...]) -> str:
    if not values:
        return "-"
    return ", ".join(map(str, values)) if len(values) <= 8 else f"{values[0]} to {values[-1]}"
