"""ReSpeaker USB 4-Mic array: XVF3000; its ring is driven over USB."""

from __future__ import annotations

from appliance.panel.boards.board import Board, Capture, LightsOf, circle
from appliance.panel.drivers.usb_ring import VENDOR, XVF3000
from appliance.panel.shape import Kind, Shape

BOARD = Board(
    name="respeaker-usb-4mic",
    title="ReSpeaker USB 4-Mic array (XVF3000)",
    url="https://wiki.seeedstudio.com/ReSpeaker-USB-Mic-Array/",
    codec="USB audio",
    capture=Capture(
        6,
        16000,
        "S16_LE",
        ("processed", *(f"microphone {number}" for number in range(1, 5)), "playback"),
        microphones=(1, 2, 3, 4),
        positions_mm=circle(4, 32.0, 45.0),  # the order of the channels has not been seen on a board
        processed=0,
        loopback=(5,),
    ),
    lights=LightsOf("usb", Shape(Kind.RING, 12, mics=(1, 4, 7, 10)), usb_product=XVF3000),
    usb=(VENDOR, XVF3000),
    cards=("respeaker 4 mic array", "arrayuac10"),
)
