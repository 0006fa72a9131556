"""In: the virtual machine. Out: a finger on its button, an eye on its LED; what was seen, as JSON lines on /dev/ttyS1."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import queue
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gpiozero

from appliance.api.control import ask
from appliance.hardware.gpio import gpio_chips, header_chip
from appliance.panel.drivers.pins import Pins
from tests.vm.guest.header import Header, build
from tests.vm.guest.program import FOLDER, Program, Silent, start_engine

BUTTON, LED = 17, 22
"""GPIO numbers (BCM) of the header."""
PRESS_S = 0.08
"""How long a finger stays."""
PAUSE_S = 1.0
"""Between what the finger does, so that the emulated machine is done with the last."""
MOST_SILENT = 3
DESK = Path("/dev/ttyS1")
READY_S = 300.0
HOLD = """
import lgpio, sys, time
lgpio.gpio_claim_input(lgpio.gpiochip_open(int(sys.argv[1])), int(sys.argv[2]))
print("held", flush=True)
time.sleep(3600)
"""
"""Another program, which holds a line."""


def tell(what: str, **values: object) -> None:
    """One result."""
    with DESK.open("w") as desk:
        desk.write(json.dumps({"what": what, **values}) + "\n")


def open_devices() -> None:
    """Gives GPIO and sound to their groups, as udev's rules do on a device."""
    subprocess.run(["groupadd", "--system", "gpio"], check=True, stdin=subprocess.DEVNULL)
    for pattern, group in (("gpiochip*", "gpio"), ("snd/*", "audio")):
        for node in Path("/dev").glob(pattern):
            if not node.is_dir():
                subprocess.run(["chgrp", group, str(node)], check=True, stdin=subprocess.DEVNULL)
                node.chmod(0o660)


def settings(*more: str) -> tuple[str, ...]:
    return ("panel.leds=plain", f"panel.led_pins=[{LED}]", f"panel.button_pin={BUTTON}", *more)


def status() -> dict[str, Any]:
    """What the running program says of its panel."""
    return dict(asyncio.run(ask(FOLDER / "run", "status", timeout_s=30.0))["panel"])


def stopped() -> bool:
    """Has the running program stop listening; whether it did."""
    return bool(asyncio.run(ask(FOLDER / "run", "stop", timeout_s=30.0))["stopped"])


def until(true: Callable[[], bool], timeout_s: float) -> bool:
    end_s = time.monotonic() + timeout_s
    while time.monotonic() < end_s:
        if true():
            return True
        time.sleep(0.25)
    return False


@contextlib.contextmanager
def holder(header: Header) -> Iterator[subprocess.Popen[bytes]]:
    """Another program that holds the button's line."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(header.number), str(BUTTON)], cwd="/tmp",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.wait()


def ready(program: Program) -> None:
    """Waits until the microphone hears; recogniser and voice were there before."""
    program.wait("HearingChanged", READY_S, "hearing")
    until(lambda: (FOLDER / "run/control.sock").exists(), READY_S)


def bare(header: Header, pins: Pins) -> dict[str, float | None]:
    """A press and a light through gpiozero and lgpio alone: what the program's times have to be compared with."""
    felt: queue.SimpleQueue[float] = queue.SimpleQueue()
    with (
        gpiozero.Button(BUTTON, pin_factory=pins.factory()) as button,
        gpiozero.LED(LED, pin_factory=pins.factory()) as led,
    ):
        button.when_pressed = lambda: felt.put(time.monotonic())
        time.sleep(PRESS_S)
        down_s = header.press(BUTTON)
        felt_s = felt.get(timeout=5.0)
        header.let_go(BUTTON)
        on_s = time.monotonic()
        led.on()
        lit_s = header.lit(LED, 3.0)
    return {"bare_press_ms": (felt_s - down_s) * 1000, "bare_led_ms": None if lit_s is None else (lit_s - on_s) * 1000}


def press(header: Header, program: Program) -> dict[str, float | None]:
    """A press that opens a turn; another that ends it."""
    program.forget()
    down_s = header.press(BUTTON)
    lit_s = header.lit(LED, 3.0)
    time.sleep(max(0.0, down_s + PRESS_S - time.monotonic()))
    up_s = header.let_go(BUTTON)
    opened_s = program.wait("TurnStarted", 20, "button")
    time.sleep(PAUSE_S)
    header.press(BUTTON)
    time.sleep(PRESS_S)
    again_s = header.let_go(BUTTON)
    ended_s = program.wait("TurnEnded", 60)
    return {
        "press_led_ms": None if lit_s is None else (lit_s - down_s) * 1000,
        "release_turn_ms": (opened_s - up_s) * 1000,
        "press_turn_ms": (opened_s - down_s) * 1000,
        "release_end_ms": (ended_s - again_s) * 1000,
    }


def talk(header: Header, program: Program) -> dict[str, float | None]:
    """Held to talk: the turn opens under the finger."""
    program.forget()
    down_s = header.press(BUTTON)
    lit_s = header.lit(LED, 3.0)
    opened_s = program.wait("TurnStarted", 20, "button")
    until(stopped, 20)  # nothing is said here, and what is made of silence is not what is timed
    header.let_go(BUTTON)
    program.wait("TurnEnded", 60)
    return {
        "talk_led_ms": None if lit_s is None else (lit_s - down_s) * 1000,
        "talk_turn_ms": (opened_s - down_s) * 1000,
    }


def dark(header: Header) -> None:
    """Waits until nothing is lit, so that the next light is the next press's."""
    quiet = 0
    while quiet < 20:
        quiet = 0 if header.high(LED) else quiet + 1
        time.sleep(0.02)
    time.sleep(PAUSE_S)


def series(what: str, count: int, header: Header, one: Callable[[], dict[str, float | None]]) -> None:
    """Does it `count` times; gives up after some that nothing came of."""
    silent = 0
    for number in range(count):
        dark(header)
        try:
            tell(what, **one())
        except Silent as error:
            tell("silent", sentence=f"{what} {number + 1}: {error}")
            silent += 1
            if silent == MOST_SILENT:
                return


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--presses", type=int, default=20)
    arguments = parser.parse_args()
    header = build()
    open_devices()
    tell("chips", chips=[chip.as_dict() for chip in gpio_chips()], header=header.number, found=header_chip())
    pins = Pins(header_chip)
    for _ in range(arguments.presses):
        tell("bare", **bare(header, pins))
    pins.factory().close()
    tell("engines", **{f"{stage}_s": start_engine(stage, READY_S) for stage in ("stt", "tts")})
    began_s = time.monotonic()
    with holder(header) as other, Program(*settings()) as program:
        until(lambda: (FOLDER / "run/control.sock").exists(), READY_S)
        until(lambda: "button" in status()["problems"], READY_S)
        tell("held", problem=status()["problems"].get("button"))
        other.kill()
        freed_s = time.monotonic()
        tell("free", taken=until(lambda: "button" not in status()["problems"], 90), seconds=time.monotonic() - freed_s)
        ready(program)
        tell("ready", seconds=time.monotonic() - began_s, panel=status())
        series("press", arguments.presses, header, lambda: press(header, program))
        tell("panel", panel=status())
    with Program(*settings("panel.hold_to_talk=true")) as program:
        ready(program)
        series("talk", arguments.presses, header, lambda: talk(header, program))
    tell("end", uptime_s=float(Path("/proc/uptime").read_text().split()[0]), kernel=os.uname().release)


if __name__ == "__main__":
    main()
