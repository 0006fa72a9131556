"""ReSpeaker 2-Mic HAT, version 1: WM8960, three APA102, a button."""

from __future__ import annotations

from appliance.panel.boards.board import Board, Capture, Level, LightsOf
from appliance.panel.shape import Kind, Shape

BOARD = Board(
    name="respeaker-2mic-v1",
    title="ReSpeaker 2-Mic HAT v1",
    url="https://wiki.seeedstudio.com/ReSpeaker_2_Mics_Pi_HAT/",
    codec="WM8960",
    capture=Capture(2, 16000, "S16_LE", ("left microphone", "right microphone"), (0, 1), ((-29.0, 0.0), (29.0, 0.0))),
    lights=LightsOf("apa102", Shape(Kind.ROW, 3)),
    button_pin=17,
    i2c=(0x1A,),
    kernel_names=("wm8960",),
    hat=("respeaker", "2"),
    cards=("respeaker-2mic-v1", "seeed-2mic-voicecard", "wm8960-soundcard"),
    # LINPUT1/RINPUT1 → boost (+13 dB, step 1 of 0..3) → PGA (63 steps of 0.75 dB from -17.25 dB: 45 is +16.5 dB) →
    # ADC at 0 dB (195 of 255). DAC → output mixers → headphone and class D at 0 dB (121). WM8960 data sheet rev 4.2,
    # control names: sound/soc/codecs/wm8960.c
    mixer=(
        Level("Left Input Mixer Boost", on=True),
        Level("Right Input Mixer Boost", on=True),
        Level("Left Boost Mixer LINPUT1", on=True),
        Level("Right Boost Mixer RINPUT1", on=True),
        Level("Left Input Boost Mixer LINPUT1", raw=1),
        Level("Right Input Boost Mixer RINPUT1", raw=1),
        Level("Capture", raw=45, on=True, capture=True),
        Level("ADC PCM", raw=195, capture=True),
        Level("Left Output Mixer PCM", on=True),
        Level("Right Output Mixer PCM", on=True),
        Level("Playback", raw=255),
        Level("Headphone", raw=121),
        Level("Speaker", raw=121),
    ),
    overlay="respeaker-2mic-v1",
)
