"""In: made-up /proc, /sys and I2C. Out: the right board with its reason; codecs set and checked, mismatches told."""

from __future__ import annotations

from pathlib import Path

import alsaaudio
import pytest

from appliance.errors import SettingsError
from appliance.panel.boards import mixer
from appliance.panel.boards.board import Board
from appliance.panel.boards.detect import Roots, detect
from appliance.panel.boards.i2c import QUICK_WRITE, answers
from appliance.panel.boards.registry import BOARDS, by_name
from appliance.panel.drivers.pins import Pins
from appliance.panel.equip import equip
from appliance.panel.shape import Kind
from appliance.settings.panel import PanelSettings


class Machine:
    """A machine that can be given HATs, chips and USB devices."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._addresses: set[int] = set()
        self.roots = Roots(folder / "proc", folder / "sys", folder / "dev", self._answers)

    def _answers(self, bus: Path, address: int) -> bool:
        assert bus == self._folder / "dev/i2c-1"
        return address in self._addresses

    def _write(self, path: str, text: str) -> Machine:
        file = self._folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return self

    def hat(self, product: str, vendor: str = "Seeed") -> Machine:
        return self._write("proc/device-tree/hat/product", product + "\0")._write(
            "proc/device-tree/hat/vendor", vendor + "\0"
        )

    def chip(self, address: int) -> Machine:
        self._addresses.add(address)
        return self._write("dev/i2c-1", "")

    def driver(self, address: int, name: str) -> Machine:
        return self._write(f"sys/bus/i2c/devices/1-{address:04x}/name", name + "\n")

    def usb(self, vendor: str, product: str) -> Machine:
        folder = f"sys/bus/usb/devices/1-{product}"
        return self._write(f"{folder}/idVendor", vendor + "\n")._write(f"{folder}/idProduct", product + "\n")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def _found(machine: Machine) -> list[tuple[str | None, str]]:
    return [(found.board.name if found.board else None, found.why) for found in detect(machine.roots)]


def test_nothing(machine: Machine) -> None:
    assert _found(machine) == []


@pytest.mark.parametrize(
    ("addresses", "name"),
    [
        ([0x1A], "respeaker-2mic-v1"),
        ([0x18], "respeaker-2mic-v2"),
        ([0x3B], "respeaker-4mic"),
        ([0x3B, 0x35], "respeaker-6mic"),
    ],
)
def test_by_the_codec_on_the_bus(addresses: list[int], name: str, machine: Machine) -> None:
    for address in addresses:
        machine.chip(address)
    ((board, why),) = _found(machine)
    assert board == name
    assert all(f"a chip answers at I2C 0x{address:02x}" in why for address in addresses)


def test_by_the_kernels_driver(machine: Machine) -> None:
    machine.driver(0x18, "tlv320aic3104").chip(0x18)
    assert _found(machine) == [("respeaker-2mic-v2", "the kernel has tlv320aic3104 at I2C 0x18")]


def test_another_chip_at_the_address_is_not_the_codec(machine: Machine) -> None:
    machine.driver(0x18, "lis3dh").chip(0x18)
    assert _found(machine) == []


@pytest.mark.parametrize(("product", "name"), [("0018", "respeaker-usb-4mic"), ("001a", "respeaker-xvf3800")])
def test_by_usb_id(product: str, name: str, machine: Machine) -> None:
    machine.usb("1d6b", "0002").usb("2886", product)
    assert _found(machine) == [(name, f"USB device 2886:{product}")]


def test_eeprom_and_codec_together(machine: Machine) -> None:
    machine.hat("ReSpeaker 2-Mics Pi HAT").chip(0x1A)
    ((board, why),) = _found(machine)
    assert board == "respeaker-2mic-v1"
    assert why == "HAT EEPROM says 'ReSpeaker 2-Mics Pi HAT' by 'Seeed', a chip answers at I2C 0x1a"


def test_eeprom_without_codec_tells_the_doubt(machine: Machine) -> None:
    machine.hat("ReSpeaker 2-Mics Pi HAT")
    (found,) = detect(machine.roots)
    assert not found.usable
    assert "it may be respeaker-2mic-v1 or respeaker-2mic-v2" in found.why
    assert "load its overlay" in found.why


def test_an_unknown_hat_is_named(machine: Machine) -> None:
    machine.hat("Sense HAT", "Raspberry Pi")
    assert _found(machine) == [(None, "HAT EEPROM says 'Sense HAT' by 'Raspberry Pi', which is not known here")]
    equipment = equip(PanelSettings(), Pins(lambda: None), machine.roots)
    assert (equipment.board, equipment.shape) == (None, None)
    assert "Sense HAT" in equipment.why


def test_an_unknown_board_in_the_settings_lists_the_known() -> None:
    with pytest.raises(SettingsError, match="no board 'respeaker' is known; there are auto, none, respeaker-2mic-v1"):
        by_name("respeaker")


def test_settings_win_over_the_board(machine: Machine) -> None:
    machine.chip(0x1A)
    settings = PanelSettings(led_count=2, button_pin=22)
    equipment = equip(settings, Pins(lambda: None), machine.roots)
    assert equipment.shape is not None
    assert (equipment.shape.kind, equipment.shape.count, equipment.button_pin) == (Kind.ROW, 2, 22)
    dark = equip(PanelSettings(leds="none"), Pins(lambda: None), machine.roots)
    assert (dark.open_lights, dark.button_pin) == (None, 17)


def test_an_i2c_bus_that_is_not_there_answers_nothing(tmp_path: Path) -> None:
    assert not answers(tmp_path / "i2c-1", 0x1A)
    (tmp_path / "i2c-2").write_text("")
    assert not answers(tmp_path / "i2c-2", 0x1A), "a file is no bus"
    assert len(QUICK_WRITE) == 16, "struct i2c_smbus_ioctl_data on 64 bits"


def test_boards_are_complete() -> None:
    assert len({board.name for board in BOARDS}) == len(BOARDS)
    for board in BOARDS:
        assert len(board.capture.roles) == board.capture.channels
        assert board.name == "virtual" or (board.url.startswith("https://") and (board.i2c or board.usb))


# -- the codec's mixer --------------------------------------------------------------------------------------------

CARDS = """ 0 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0
                      vc4-hdmi-0
 2 [respeaker2micv1]: simple-card - respeaker-2mic-v1
                      respeaker-2mic-v1
"""


class Codec:
    """A codec with controls that can stick or be missing; as alsaaudio.Mixer sees it."""

    def __init__(self, board: Board) -> None:
        self.values: dict[str, dict[str, int]] = {level.control: {} for level in board.mixer}
        self.sticks: dict[str, int] = {}

    def open(self, control: str, card: int) -> _Control:
        assert card == 2
        if control not in self.values:
            raise alsaaudio.ALSAAudioError("Unable to find mixer control x,0 [hw:2]")
        return _Control(self.values[control], self.sticks.get(control))


class _Control:
    def __init__(self, values: dict[str, int], sticks: int | None) -> None:
        self._values, self._sticks = values, sticks

    def setvolume(self, value: int, channel: int, side: int, units: int) -> None:
        assert (channel, units) == (alsaaudio.MIXER_CHANNEL_ALL, alsaaudio.VOLUME_UNITS_RAW)
        self._values["volume"] = value if self._sticks is None else self._sticks

    def getvolume(self, side: int, units: int) -> list[int]:
        return [self._values["volume"]] * 2

    def setmute(self, mute: int) -> None:
        self._values["mute"] = mute

    def getmute(self) -> list[int]:
        return [self._values["mute"] if self._sticks is None else 1]

    def setrec(self, capture: int) -> None:
        self._values["rec"] = capture

    def getrec(self) -> list[int]:
        return [self._values["rec"]]

    def close(self) -> None:
        pass


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    file = tmp_path / "cards"
    file.write_text(CARDS, encoding="utf-8")
    return file


def test_profile_is_applied_and_checked(cards: Path) -> None:
    board = by_name("respeaker-2mic-v1")
    codec = Codec(board)
    assert mixer.apply(board, cards, codec.open) == []
    assert codec.values["Capture"] == {"volume": 45, "rec": 1}
    assert codec.values["Left Output Mixer PCM"] == {"mute": 0}


def test_what_does_not_take_is_told(cards: Path) -> None:
    board = by_name("respeaker-2mic-v1")
    codec = Codec(board)
    codec.sticks = {"Capture": 0, "Left Boost Mixer LINPUT1": 1}
    del codec.values["ADC PCM"]
    assert mixer.apply(board, cards, codec.open) == [
        "ReSpeaker 2-Mic HAT v1: 'Left Boost Mixer LINPUT1' does not switch on.",
        "ReSpeaker 2-Mic HAT v1: 'Capture' stays at 0 instead of 45.",
        "ReSpeaker 2-Mic HAT v1: the codec has no control 'ADC PCM' (Unable to find mixer control x,0).",
    ]


def test_a_hat_without_a_card_names_its_overlay(tmp_path: Path) -> None:
    assert mixer.apply(by_name("respeaker-2mic-v2"), tmp_path / "none") == [
        "ReSpeaker 2-Mic HAT v2: it has no sound card; load the overlay respeaker-2mic-v2 (overlays/README.md)."
    ]
    assert mixer.apply(by_name("respeaker-4mic"), tmp_path / "none") == [], "no profile, nothing to check"
