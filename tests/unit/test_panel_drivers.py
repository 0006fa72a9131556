"""In: frames. Out: exact bytes and duty cycles at every driver; the real spidev extension writes through a recorder."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from appliance.errors import DeviceError
from appliance.panel.colour import OFF, Frame
from appliance.panel.drivers import apa102, usb_ring, ws2812
from appliance.panel.drivers.gpio import PlainLights, RgbLights
from appliance.panel.drivers.pins import Pins
from appliance.panel.drivers.powered import Powered
from appliance.panel.drivers.usb_ring import UsbRing
from appliance.panel.drivers.virtual import render
from appliance.panel.lamp import Lamp
from appliance.panel.shape import Kind, Shape

FULL: Frame = ((255, 0, 0), (0, 255, 0), (0, 0, 255))
APA102_FULL = bytes.fromhex("00000000 ff0000ff ff00ff00 ffff0000 00000000 00")
"""Three pixels at full brightness, by hand from the data sheet: start, 0b111_11111 B G R …, end."""


def test_apa102_bytes_are_those_of_the_data_sheet() -> None:
    assert apa102.encode(FULL, 1.0) == APA102_FULL
    # 40 % is 12 of 31 steps; half of perceived white is 0.5^2.2 = 22 % of the light, 56 of 255
    assert apa102.encode(((128, 128, 128),), 0.4) == bytes.fromhex("00000000 ec383838 00000000 00")
    assert apa102.encode((OFF,) * 12, 0.0) == bytes(4) + bytes.fromhex("e0000000") * 12 + bytes(5)


def test_ws2812_bits() -> None:
    data = ws2812.encode(((255, 0, 1),), 1.0)
    zero, one = "100" * 8, "110" * 8
    bits = "".join(f"{byte:08b}" for byte in data[1:10])
    assert bits == zero + one + zero, "green, red, blue; a value of 1 is darker than an LED can be seen"
    assert len(data) == 1 + 9 + 90


RECORDER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/spi/spidev.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
static int spi = -1;
static int fake(const char *path) {
    if (strncmp(path, "/dev/spidev", 11)) return -1;
    return spi = open(getenv("SPI_RECORD"), O_WRONLY | O_CREAT | O_APPEND, 0600);
}
#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        int fd = strncmp(path, "/dev/spidev", 11) ? -1 : fake(path); \
        if (fd >= 0) return fd; \
        va_list rest; va_start(rest, flags); int mode = va_arg(rest, int); va_end(rest); \
        return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name))(path, flags, mode); \
    }
OPEN(open64)
int open(const char *path, int flags, ...) {
    static int (*real)(const char *, int, ...);
    if (!real) real = dlsym(RTLD_NEXT, "open");
    va_list rest; va_start(rest, flags); int mode = va_arg(rest, int); va_end(rest);
    if (!strncmp(path, "/dev/spidev", 11)) return spi = real(getenv("SPI_RECORD"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    return real(path, flags, mode);
}
int ioctl(int fd, unsigned long request, ...) {
    va_list rest; va_start(rest, request); void *argument = va_arg(rest, void *); va_end(rest);
    if (fd != spi || spi < 0) return ((int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl"))(fd, request, argument);
    if (request == SPI_IOC_MESSAGE(1)) {
        struct spi_ioc_transfer *transfer = argument;
        return write(fd, (void *)(uintptr_t)transfer->tx_buf, transfer->len);
    }
    if (_IOC_DIR(request) & _IOC_READ) memset(argument, 0, _IOC_SIZE(request));
    return 0;
}
"""
WRITER = """
from pathlib import Path
from appliance.panel.drivers.apa102 import Apa102
lights = Apa102(Path("/dev/spidev0.0"))
lights.show(((255, 0, 0), (0, 255, 0), (0, 0, 255)), 1.0)
lights.show(((128, 128, 128),), 0.4)
lights.close()
"""


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc here to build the recorder of SPI writes")
def test_the_real_spidev_extension_puts_these_bytes_on_the_wire(tmp_path: Path) -> None:
    (tmp_path / "recorder.c").write_text(RECORDER, encoding="utf-8")
    library, record = tmp_path / "recorder.so", tmp_path / "wire"
    command = ["gcc", "-shared", "-fPIC", "-O1", "-o", str(library), str(tmp_path / "recorder.c"), "-ldl"]
    built = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    if "No such file" in built.stderr and "spidev.h" in built.stderr:
        pytest.skip("no kernel headers for spidev here")
    assert built.returncode == 0, built.stderr
    environment = {**os.environ, "LD_PRELOAD": str(library), "SPI_RECORD": str(record)}
    done = subprocess.run(
        [sys.executable, "-c", WRITER],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert record.read_bytes() == APA102_FULL + bytes.fromhex("00000000 ec383838 00000000 00")


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOENT, "No SPI: /dev/spidev9.9 is not there; put dtparam=spi=on into config.txt and restart."),
        (errno.EACCES, "No permission for /dev/spidev9.9: put this user into the group 'spi'."),
    ],
)
def test_spi_that_cannot_be_had(number: int, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def open(self, bus: int, device: int) -> None:
            raise OSError(number, os.strerror(number))

        def close(self) -> None:
            pass

    monkeypatch.setattr("appliance.panel.drivers.spi.spidev.SpiDev", Refusing)
    with pytest.raises(DeviceError) as refused:
        apa102.Apa102(Path("/dev/spidev9.9"))
    assert refused.value.message == sentence


# -- GPIO ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def pwm() -> MockFactory:
    factory = MockFactory(pin_class=MockPWMPin)
    yield factory
    factory.reset()


def test_rgb_led_follows_colour_and_brightness(pwm: MockFactory) -> None:
    lights = RgbLights(Pins(lambda: None, pwm), (22, 23, 24))
    lights.show(((255, 128, 0),), 0.5)
    assert [round(pwm.pin(number).state, 3) for number in (22, 23, 24)] == [0.5, 0.11, 0.0]
    lights.close()


def test_plain_leds_are_dimmed_or_switched(pwm: MockFactory) -> None:
    dimmed = PlainLights(Pins(lambda: None, pwm), (5, 6))
    dimmed.show(((128,) * 3, (0,) * 3), 1.0)
    assert [round(pwm.pin(number).state, 2) for number in (5, 6)] == [0.22, 0.0]
    dimmed.close()
    plain = MockFactory()
    switched = PlainLights(Pins(lambda: None, plain), (5,))
    pin = plain.pin(5)
    pin.clear_states()
    for value in (200, 20, 255, 0):
        switched.show(((value,) * 3,), 0.06)
    pin.assert_states([False, True, False, True, False])
    switched.close()


def test_wrong_pins_are_one_sentence(pwm: MockFactory) -> None:
    pins = Pins(lambda: None, pwm)
    with pytest.raises(DeviceError, match="an RGB LED has three pins"):
        RgbLights(pins, (1, 2))
    with pytest.raises(DeviceError, match="plain LEDs need the number"):
        PlainLights(pins, ())
    with pytest.raises(DeviceError, match="this machine has no Raspberry Pi header"):
        PlainLights(Pins(lambda: None), (5,))


def test_dim_light_stays_visible(pwm: MockFactory) -> None:
    plain = PlainLights(Pins(lambda: None, pwm), (22,))
    plain.show(((77, 77, 77),), 0.06)  # a muted device's glow at night: 0.4 % of the light, less than a step of lgpio's
    assert pwm.pin(22).state == 0.01
    plain.show(((77, 77, 77),), 0.0)
    assert pwm.pin(22).state == 0
    plain.show((OFF,), 1.0)
    assert pwm.pin(22).state == 0


def test_a_pin_that_was_held_is_taken_once_it_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    factory, held = MockFactory(), [True]
    known = factory.pin

    def pin(name: int) -> object:
        if held:
            held.pop()
            raise RuntimeError("'GPIO busy'")  # as lgpio says it, after gpiozero has reserved the pin
        return known(name)

    monkeypatch.setattr(factory, "pin", pin)
    pins = Pins(lambda: None, factory)
    kept = []  # as the panel keeps it for `appliance status`
    for _ in range(2):
        try:
            with pins.taking(17) as given:
                button = gpiozero.Button(17, pin_factory=given)
        except DeviceError as error:
            kept.append(error)
    assert [error.code for error in kept] == ["pin-busy"]
    assert not button.closed
    factory.reset()


def test_lgpio_needs_no_folder_that_can_be_written_and_leaves_nothing_there(tmp_path: Path) -> None:
    pytest.importorskip("lgpio")
    script = "import os; from appliance.panel.drivers import library; print(os.listdir('.'), library._problem)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={**os.environ, "LG_WD": "/proc"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.stdout.strip() == "[]", done.stderr


def test_a_held_pin_names_its_holder(monkeypatch: pytest.MonkeyPatch) -> None:
    class Holding(Pins):
        def holder(self, pin: int) -> str | None:
            return "gpio-keys"

    pins = Holding(lambda: 0, MockFactory())
    with pytest.raises(DeviceError) as refused, pins.taking(17):
        raise RuntimeError("'GPIO busy'")
    assert refused.value.message == "GPIO17 is held by 'gpio-keys': end it, or choose another pin."


def test_leds_of_the_4_mic_get_their_power_first(pwm: MockFactory) -> None:
    seen = []

    class Recording:
        def __init__(self) -> None:
            seen.append(pwm.pin(5).state)

        def show(self, frame: Frame, brightness: float) -> None:
            pass

        def close(self) -> None:
            seen.append(pwm.pin(5).state)

    lights = Powered(Pins(lambda: None, pwm), 5, Recording)
    lights.close()
    assert [bool(state) for state in seen] == [True, True], "on before the LEDs open, off only after them"


# -- USB ----------------------------------------------------------------------------------------------------------


class Array:
    """A USB array that notes every request."""

    def __init__(self, pixels: int = 12) -> None:
        self.requests: list[tuple[int, int, bytes]] = []
        self._most = 4 * pixels

    def ctrl_transfer(self, kind: int, request: int, value: int, index: int, data: bytes, timeout: int) -> int:
        assert (kind, request) == (0x40, 0)
        self.requests.append((value, index, bytes(data)))
        return min(len(data), self._most)


def test_xvf3000_ring() -> None:
    array = Array()
    ring = UsbRing(usb_ring.XVF3000, lambda vendor, product: array)
    ring.show(((255, 0, 0),) + (OFF,) * 11, 1.0)
    assert array.requests[:2] == [(0x20, 0x1C, b"\x1f"), (0x22, 0x1C, b"\0")]
    assert array.requests[2] == (6, 0x1C, b"\xff\0\0\0" + bytes(44))


def test_xvf3800_ring() -> None:
    array = Array()
    ring = UsbRing(usb_ring.XVF3800, lambda vendor, product: array)
    ring.show(((255, 0, 255),) + (OFF,) * 11, 1.0)
    assert array.requests[-1] == (19, 20, b"\xff\0\xff\0" + bytes(44))


def test_a_ring_half_as_long_as_configured_is_told() -> None:
    ring = UsbRing(usb_ring.XVF3000, lambda vendor, product: Array(pixels=6))
    with pytest.raises(DeviceError, match="took 24 of 48 bytes: its ring is shorter than configured"):
        ring.show((OFF,) * 12, 1.0)


def test_an_array_that_is_not_there_or_not_ours() -> None:
    with pytest.raises(DeviceError, match="2886:001a is not connected"):
        UsbRing(usb_ring.XVF3800, lambda vendor, product: None)

    class Forbidden(Array):
        def ctrl_transfer(self, *request: object) -> int:
            raise OSError(13, "Access denied")

    with pytest.raises(DeviceError, match="udev rule"):
        UsbRing(usb_ring.XVF3800, lambda vendor, product: Forbidden())


# -- terminal and lamp --------------------------------------------------------------------------------------------


def test_the_terminal_draws_a_circle_and_a_row() -> None:
    ring = render(((255, 0, 0),) + (OFF,) * 11, Shape(Kind.RING, 12))
    lines = ring.plain.splitlines()
    assert (len(lines), ring.plain.count("●")) == (7, 12)
    assert lines[0].index("●") < len(lines[0])
    assert "#ff0000" in {str(span.style) for span in ring.spans}
    assert render((OFF,) * 3, Shape(Kind.ROW, 3)).plain == "●  ●  ●"


class Slow:
    """LEDs with hands: they can be held up and broken."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.broken: DeviceError | None = None
        self.frames: list[Frame] = []
        self.opened = 0

    def open(self) -> Slow:
        self.opened += 1
        return self

    def show(self, frame: Frame, brightness: float) -> None:
        assert self.gate.wait(5.0)
        if self.broken is not None:
            raise self.broken
        self.frames.append(frame)

    def close(self) -> None:
        pass

    def until(self, count: int) -> None:
        deadline_s = time.monotonic() + 5.0
        while len(self.frames) < count and time.monotonic() < deadline_s:
            time.sleep(0.002)
        assert len(self.frames) >= count


def _grey(value: int) -> Frame:
    return ((value, value, value),)


def test_only_the_newest_frame_waits_for_a_slow_driver() -> None:
    slow = Slow()
    lamp = Lamp(slow.open)
    lamp.start()
    lamp.show(_grey(1), 1.0)
    slow.until(1)
    slow.gate.clear()
    for value in range(2, 50):
        lamp.show(_grey(value), 1.0)
    slow.gate.set()
    lamp.close()
    assert slow.frames[-1] == _grey(49)
    assert len(slow.frames) <= 3
    assert lamp.counters.superseded >= 46


def test_a_film_plays_by_itself_until_something_else_is_shown() -> None:
    slow = Slow()
    lamp = Lamp(slow.open)
    lamp.start()
    lamp.play(lambda now_s: _grey(len(slow.frames) + 1), 1.0, 0.005)
    slow.until(3)
    lamp.show(_grey(200), 1.0)
    slow.until(len(slow.frames) + 1)
    lamp.close()
    assert slow.frames[:3] == [_grey(1), _grey(2), _grey(3)]
    assert slow.frames[-1] == _grey(200)
    assert slow.frames.count(_grey(200)) == 1


def test_a_film_sends_only_what_changes_and_goes_over_without_a_ring() -> None:
    slow = Slow()
    lamp = Lamp(slow.open)
    lamp.start()
    lamp.play(lambda now_s: _grey(1), 1.0, 0.005)
    slow.until(1)
    time.sleep(0.05)
    assert slow.frames == [_grey(1)]
    lamp.play(lambda now_s: _grey(2), 1.0, 0.005, at_once=False)
    slow.until(2)
    lamp.play(lambda now_s: _grey(3), 1.0, 60.0, at_once=False)
    slow.until(3)
    lamp.show(_grey(4), 1.0)  # must not wait for the film's next frame
    slow.until(4)
    lamp.close()
    assert slow.frames == [_grey(1), _grey(2), _grey(3), _grey(4)]


@pytest.mark.parametrize("failure", [DeviceError("usb", "It is gone."), ValueError("a native library's own")])
def test_a_failing_driver_is_reported_opened_again_and_gets_what_is_newest(
    failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.panel.lamp.FIRST_PAUSE_S", 0.01)
    slow = Slow()
    slow.broken = failure  # type: ignore[assignment]
    reports: list[DeviceError | None] = []
    lamp = Lamp(slow.open, reports.append)
    lamp.start()
    lamp.show(_grey(7), 1.0)
    deadline_s = time.monotonic() + 5.0
    while lamp.problem is None and time.monotonic() < deadline_s:
        time.sleep(0.002)
    assert lamp.problem is not None
    slow.broken = None
    slow.until(1)
    lamp.close()
    assert slow.frames == [_grey(7)]
    assert slow.opened >= 2
    assert reports[-1] is None


def test_a_hanging_driver_does_not_hold_up_the_end() -> None:
    slow = Slow()
    slow.gate.clear()
    lamp = Lamp(slow.open)
    lamp.start()
    lamp.show(_grey(1), 1.0)
    before_s = time.monotonic()
    lamp.close(0.05)
    assert time.monotonic() - before_s < 2.0
    slow.gate.set()
