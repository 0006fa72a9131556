"""ReSpeaker 6-Mic circular array kit: AC108 and AC101, twelve APA102 with a switched supply."""

from __future__ import annotations

from appliance.panel.boards.board import Board, Capture, LightsOf, circle
from appliance.panel.shape import Kind, Shape

BOARD = Board(
    name="respeaker-6mic",
    title="ReSpeaker 6-Mic kit",
    url="https://wiki.seeedstudio.com/ReSpeaker_6-Mic_Circular_Array_kit_for_Raspberry_Pi/",
    codec="AC108 and AC101",
    capture=Capture(
        8,
        16000,
        "S32_LE",
        (*(f"microphone {number}" for number in range(1, 7)), "loopback left", "loopback right"),
        microphones=(0, 1, 2, 3, 4, 5),
        positions_mm=circle(6, 46.3, 60.0),  # a hexagon; the order of the channels has not been seen on a board
        loopback=(6, 7),
    ),
    lights=LightsOf("apa102", Shape(Kind.RING, 12, mics=(0, 2, 4, 6, 8, 10)), power_pin=5),
    button_pin=26,
    i2c=(0x3B, 0x35),
    kernel_names=("ac108", "ac108_0", "ac101"),
    hat=("respeaker", "6"),
    cards=("seeed-8mic-voicecard", "seeed8micvoicec"),
    overlay="respeaker-6mic-leds",
    note="The kernel has no driver for the AC108: its microphones need the vendor's module. GPIO26 is unconfirmed.",
)
