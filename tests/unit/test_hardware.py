"""In: trees like /proc/asound and /dev, and real alsa-lib PCMs. Out: cards, chips and buses, and who holds them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.hardware.buses import buses
from appliance.hardware.cards import cards, stream
from appliance.hardware.gpio import CHIP_INFO, chip_from, gpio_chips

CARDS = """ 0 [Loopback       ]: Loopback - Loopback
                      Loopback 1
 2 [ArrayUAC10     ]: USB-Audio - ReSpeaker 4 Mic Array (UAC1.0)
                      SEEED ReSpeaker 4 Mic Array (UAC1.0) at usb-0000:01:00.0-1.4, high speed
"""


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "cards").write_text(CARDS)
    for pcm, status in (("card2/pcm0c", f"state: RUNNING\nowner_pid   : {os.getpid()}\n"), ("card2/pcm0p", "closed\n")):
        (tmp_path / pcm / "sub0").mkdir(parents=True)
        (tmp_path / pcm / "sub0" / "status").write_text(status)
    (tmp_path / "card0").mkdir()
    return tmp_path


def test_cards_and_their_holders(proc: Path) -> None:
    loopback, array = cards(proc)
    assert (loopback.index, loopback.id, loopback.streams) == (0, "Loopback", ())
    assert (array.index, array.name) == (2, "USB-Audio - ReSpeaker 4 Mic Array (UAC1.0)")
    capture, playback = array.streams
    assert (capture.pcm, capture.direction, capture.error) == ("hw:CARD=ArrayUAC10,DEV=0", "capture", "in use")
    assert capture.holder is not None and capture.holder.endswith(f"({os.getpid()})")
    assert playback.holder is None and playback.error is not None  # this machine has no such card: alsa-lib says so


def test_a_kernel_without_sound(tmp_path: Path) -> None:
    assert cards(tmp_path) == []


def test_a_real_pcm_is_asked() -> None:
    found = stream("null", "capture")
    assert found.error is None and 1 in found.channels and 16000 in found.rates_hz
    assert stream("nonsense", "playback").error


def test_a_pcm_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.hardware.cards.PROBE_TIMEOUT_S", 0.001)
    assert "does not open within" in (stream("null", "capture").error or "")


def test_a_chip_from_the_kernels_words() -> None:
    info = CHIP_INFO.pack(b"gpiochip4", b"pinctrl-rp1", 54)
    chip = chip_from("/dev/gpiochip4", info)
    assert (chip.label, chip.lines, chip.header) == ("pinctrl-rp1", 54, True)
    assert not chip_from("/dev/gpiochip1", CHIP_INFO.pack(b"gpiochip1", b"gpio-brcmstb", 17)).header


def test_what_is_no_chip_says_so(tmp_path: Path) -> None:
    (tmp_path / "gpiochip0").write_text("")
    (chip,) = gpio_chips(tmp_path)
    assert chip.label == "Inappropriate ioctl for device" and not chip.header


def test_buses(tmp_path: Path) -> None:
    for name in ("i2c-1", "spidev0.0", "spidev0.1", "ttyS0"):
        (tmp_path / name).write_text("")
    assert [(Path(bus.path).name, bus.kind, bus.usable) for bus in buses(tmp_path)] == [
        ("i2c-1", "I2C", True),
        ("spidev0.0", "SPI", True),
        ("spidev0.1", "SPI", True),
    ]
