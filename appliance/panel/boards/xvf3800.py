"""ReSpeaker XVF3800 USB array; its ring is driven over USB, its mute is hardware."""

from __future__ import annotations

from appliance.panel.boards.board import Board, Capture, LightsOf, circle
from appliance.panel.drivers.usb_ring import VENDOR, XVF3800
from appliance.panel.shape import Kind, Shape

BOARD = Board(
    name="respeaker-xvf3800",
    title="ReSpeaker XVF3800",
    url="https://wiki.seeedstudio.com/respeaker_xvf3800_introduction/",
    codec="USB audio",
    capture=Capture(
        6,
        16000,
        "S16_LE",
        ("conference", "processed", *(f"microphone {number}" for number in range(1, 5))),
        microphones=(2, 3, 4, 5),
        positions_mm=circle(4, 46.7, 45.0),  # a square of 66 mm; the order of the channels has not been seen on a board
        processed=1,
    ),
    lights=LightsOf("usb", Shape(Kind.RING, 12, mics=(1, 4, 7, 10)), usb_product=XVF3800),
    usb=(VENDOR, XVF3800),
    cards=("respeaker xvf3800", "array"),
    note="A muted array stays muted over a restart (reSpeaker_XVF3800 issue 20): press its own mute button.",
)
