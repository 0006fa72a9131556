"""No hardware: a ring drawn in the terminal."""

from __future__ import annotations

from appliance.panel.boards.board import Board, Capture, LightsOf
from appliance.panel.shape import Kind, Shape

BOARD = Board(
    name="virtual",
    title="virtual panel",
    url="",
    codec="none",
    capture=Capture(1, 16000, "S16_LE", ("whatever sound.capture names",)),
    lights=LightsOf("virtual", Shape(Kind.RING, 12, mics=(1, 4, 7, 10))),
)
