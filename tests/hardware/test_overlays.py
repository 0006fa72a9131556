"""In: overlays/*.dts and the kernel's tree of the Raspberry Pi 5. Out: they apply; their nodes point where they should."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.panel.boards.registry import BOARDS
from tests.shared import ROOT

OVERLAYS = sorted((ROOT / "overlays").glob("*.dts"))
HERE = Path(__file__).parent
RP1 = "/axi/pcie@1000120000/pci@0,0/dev@0,0/pci-ep-bus@1"
I2C, GPIO = f"{RP1}/i2c@40074000", f"{RP1}/pinctrl@400d0000"
needs_dtc = pytest.mark.skipif(shutil.which("fdtoverlay") is None, reason="no device-tree-compiler here")


def _run(*command: str | Path) -> str:
    done = subprocess.run(
        [str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0, f"{command[0]}: {done.stderr}"
    return done.stdout.strip()


def _compile(source: Path, folder: Path, *options: str) -> Path:
    target = folder / f"{source.stem}.dtbo"
    _run("dtc", "-@", *options, "-I", "dts", "-O", "dtb", "-o", target, source)
    return target


@pytest.fixture(scope="session")
def base() -> Path:
    """The kernel's own tree of the Pi 5, fetched once into build/."""
    given = os.environ.get("PI5_DTB")
    tree = Path(given) if given else ROOT / "build/pi5/bcm2712-rpi-5-b.dtb"
    if not tree.exists():
        fetched = subprocess.run(
            [str(ROOT / "scripts/pi5-tree"), str(tree.parent)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=150,
        )  # fmt: skip
        if fetched.returncode != 0:
            pytest.skip(f"the Pi 5 base tree cannot be had: {(fetched.stderr.strip() or '?').splitlines()[-1]}")
    return tree


class Tree:
    """A device tree that can be asked."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def text(self, node: str, name: str) -> str:
        return _run("fdtget", "-t", "s", self._file, node, name)

    def numbers(self, node: str, name: str) -> list[int]:
        return [int(word) for word in _run("fdtget", "-t", "u", self._file, node, name).split()]

    def phandle(self, node: str) -> int:
        return self.numbers(node, "phandle")[0]

    def nodes(self, node: str) -> list[str]:
        return _run("fdtget", "-l", self._file, node).split()


def _applied(name: str, base: Path, folder: Path) -> Tree:
    # a label named "gpio" in /__symbols__ looks like a GPIO property to dtc
    shim = _compile(HERE / "pi5-labels.dts", folder, "-W", "no-gpios_property")
    overlay = _compile(ROOT / f"overlays/{name}.dts", folder)
    result = folder / f"{name}.dtb"
    _run("fdtoverlay", "-i", base, "-o", result, shim, overlay)
    return Tree(result)


@needs_dtc
@pytest.mark.parametrize("source", OVERLAYS, ids=lambda path: path.stem)
def test_compiles_without_a_warning(source: Path, tmp_path: Path) -> None:
    command = ["dtc", "-@", "-I", "dts", "-O", "dtb", "-o", str(tmp_path / "x.dtbo"), str(source)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("source", OVERLAYS, ids=lambda path: path.stem)
def test_header_names_board_and_parameters_are_documented(source: Path) -> None:
    text = source.read_text(encoding="utf-8")
    readme = (ROOT / "overlays/README.md").read_text(encoding="utf-8")
    board = next(board for board in BOARDS if board.overlay == source.stem)
    assert f"// Board: {board.url}" in text
    assert f"dtoverlay={source.stem}" in readme
    overrides = text.split("__overrides__ {")[1].split("}")[0]
    for line in filter(None, map(str.strip, overrides.splitlines())):
        name = line.split(" ")[0]
        assert f"`{name}=" in readme, name
        assert f"{line.split('<&')[1].split('>')[0]}:" in text, f"{name} points to a label that is not there"


def test_every_overlay_of_a_board_is_there() -> None:
    assert {board.overlay for board in BOARDS if board.overlay} == {source.stem for source in OVERLAYS}


@needs_dtc
@pytest.mark.parametrize(
    ("name", "address", "compatible", "clock_hz"),
    [
        ("respeaker-2mic-v1", 0x1A, "wlf,wm8960", 24_000_000),
        ("respeaker-2mic-v2", 0x18, "ti,tlv320aic3104", 24_576_000),
    ],
)
def test_codec(name: str, address: int, compatible: str, clock_hz: int, base: Path, tmp_path: Path) -> None:
    tree = _applied(name, base, tmp_path)
    codec, card = f"{I2C}/codec@{address:x}", f"/sound-{name}"
    assert tree.text(codec, "compatible") == compatible
    assert tree.numbers(codec, "reg") == [address]
    assert tree.text(I2C, "status") == "okay"
    # the clock that codec and card name is the board's oscillator
    assert tree.numbers(codec, "clocks") == [tree.phandle(f"/clock-{name}")]
    assert tree.numbers(f"/clock-{name}", "clock-frequency") == [clock_hz]
    # the card joins the codec to RP1's clock consumer, and the codec makes the clocks
    assert tree.text(card, "simple-audio-card,name") == name
    assert tree.numbers(f"{card}/simple-audio-card,codec", "sound-dai") == [tree.phandle(codec)]
    assert tree.numbers(f"{card}/simple-audio-card,cpu", "sound-dai") == [tree.phandle(f"{RP1}/i2s-consumer-stub")]
    assert tree.text(f"{RP1}/i2s-consumer-stub", "status") == "okay"
    assert tree.text(f"{RP1}/i2s-producer-stub", "status") == "disabled"
    for master in ("bitclock-master", "frame-master"):
        assert tree.numbers(card, f"simple-audio-card,{master}") == [tree.phandle(f"{card}/simple-audio-card,codec")]


@needs_dtc
@pytest.mark.parametrize("source", OVERLAYS, ids=lambda path: path.stem)
def test_leds_and_button(source: Path, base: Path, tmp_path: Path) -> None:
    tree = _applied(source.stem, base, tmp_path)
    board = next(board for board in BOARDS if board.overlay == source.stem)
    assert tree.text(f"{RP1}/spi-stub", "status") == "okay"
    keys = [node for node in tree.nodes("/") if node.startswith("keys-")]
    assert bool(keys) is (board.button_pin is not None)
    for node in keys:
        assert tree.text(f"/{node}", "status") == "disabled", "a line has one owner: the appliance"
        assert tree.numbers(f"/{node}/button-0", "gpios") == [tree.phandle(GPIO), board.button_pin, 0x11]
    assert board.lights is not None
    if board.lights.power_pin is not None:
        hog = f"{GPIO}/led-power-hog"
        assert tree.numbers(hog, "gpios") == [board.lights.power_pin, 0]
        assert tree.text(hog, "status") == "disabled"
