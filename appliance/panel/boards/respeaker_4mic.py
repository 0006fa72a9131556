"""ReSpeaker 4-Mic HAT: AC108, twelve APA102 with a switched supply."""

from __future__ import annotations

from appliance.panel.boards.board import Board, Capture, LightsOf, circle
from appliance.panel.shape import Kind, Shape

BOARD = Board(
    name="respeaker-4mic",
    title="ReSpeaker 4-Mic HAT",
    url="https://wiki.seeedstudio.com/ReSpeaker_4_Mic_Array_for_Raspberry_Pi/",
    codec="AC108",
    # at the corners of a square, 64 mm across; the order of the channels has not been seen on a board
    capture=Capture(
        4,
        16000,
        "S32_LE",
        tuple(f"microphone {number}" for number in range(1, 5)),
        microphones=(0, 1, 2, 3),
        positions_mm=circle(4, 32.0, 45.0),
    ),
    lights=LightsOf("apa102", Shape(Kind.RING, 12, mics=(1, 4, 7, 10)), power_pin=5),
    i2c=(0x3B,),
    kernel_names=("ac108", "ac108_0"),
    hat=("respeaker", "4"),
    cards=("seeed-4mic-voicecard", "seeed4micvoicec", "ac108"),
    overlay="respeaker-4mic-leds",
    note="The kernel has no driver for the AC108: its microphones need the vendor's module. The LEDs work without.",
)
