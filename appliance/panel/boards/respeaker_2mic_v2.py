"""ReSpeaker 2-Mic HAT, version 2: TLV320AIC3104, three APA102, a button."""

from __future__ import annotations

from appliance.panel.boards.board import Board, Capture, Level, LightsOf
from appliance.panel.shape import Kind, Shape

BOARD = Board(
    name="respeaker-2mic-v2",
    title="ReSpeaker 2-Mic HAT v2",
    url="https://wiki.seeedstudio.com/respeaker_2_mics_pi_hat_raspberry_v2/",
    codec="TLV320AIC3104",
    capture=Capture(2, 16000, "S16_LE", ("left microphone", "right microphone"), (0, 1), ((-29.0, 0.0), (29.0, 0.0))),
    lights=LightsOf("apa102", Shape(Kind.ROW, 3)),
    button_pin=17,
    i2c=(0x18,),
    kernel_names=("tlv320aic3104", "tlv320aic3x"),
    hat=("respeaker", "2"),
    cards=("respeaker-2mic-v2", "seeed2micvoicec"),
    # The codec comes up with its PGAs muted and nothing routed: the "silent HAT v2". The microphones are on LINE1 (as the
    # vendor's overlay says). PGA: 0.5 dB a step, 40 is 20 dB. PCM and the mixers' DAC: 127 and 118 are 0 dB; HP and Line:
    # 0..9 dB. Control names: sound/soc/codecs/tlv320aic3x.c
    mixer=(
        Level("PGA", raw=40, on=True, capture=True),
        Level("Left PGA Mixer Line1L", on=True),
        Level("Right PGA Mixer Line1R", on=True),
        Level("PCM", raw=127),
        Level("Left HP Mixer DACL1", on=True),
        Level("Right HP Mixer DACR1", on=True),
        Level("HP DAC", raw=118),
        Level("HP", raw=0, on=True),
        Level("Left Line Mixer DACL1", on=True),
        Level("Right Line Mixer DACR1", on=True),
        Level("Line DAC", raw=118),
        Level("Line", raw=0, on=True),
    ),
    overlay="respeaker-2mic-v2",
)
