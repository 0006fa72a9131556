"""In: 32 ms windows of microphone audio. Out: the probability that someone speaks in them."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np

from appliance.engines.sound.pcm import FLOOR_DBFS, Samples, level_dbfs
from appliance.errors import ListenError
from appliance.wire.child import ModelFile

WINDOW = 512
"""Samples of one decision: 32 ms at 16 kHz, what silero was trained with."""


class Vad(Protocol):
    """Counts audio time, not wall time."""

    name: str

    def probability(self, window: Samples) -> float:
        """0..1 for the next WINDOW samples."""
        ...

    def reset(self) -> None:
        """A new utterance begins."""
        ...


def open_vad(model: ModelFile | None) -> Vad:
    """Silero where its model is at hand, else energy. Raises ListenError for a model that does not load."""
    return EnergyVad() if model is None else SileroVad(model)


class SileroVad:
    """Silero VAD v4 as exported for sherpa-onnx: x (1, 512), LSTM states h and c (2, 1, 64) → prob."""

    name = "silero"

    def __init__(self, model: ModelFile) -> None:
        import onnxruntime as ort

        onnxruntime: Any = ort  # its stubs export nothing

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(model.files["model"]), options, providers=["CPUExecutionProvider"]
            )
            names = {put.name for put in self._session.get_inputs()}
        except Exception as error:
            raise ListenError("bad-vad-model", f"{model.files['model']} cannot be loaded as an ONNX model.") from error
        if names != {"x", "h", "c"}:
            raise ListenError("bad-vad-model", f"{model.files['model']} is not a silero model with inputs x, h and c.")
        self._h = self._c = np.zeros((2, 1, 64), dtype=np.float32)

    def probability(self, window: Samples) -> float:
        scaled = (window.astype(np.float32) / 32768.0)[None]
        probability, self._h, self._c = self._session.run(None, {"x": scaled, "h": self._h, "c": self._c})
        return float(probability[0, 0])

    def reset(self) -> None:
        self._h = self._c = np.zeros((2, 1, 64), dtype=np.float32)


class EnergyVad:
    """Speech is what stands out of the room's noise floor; for a machine without a model.

    The floor follows the quietest of the last windows: down at once, up by 3 dB a second. 9 dB above it is even odds and
    2 dB more make it e times likelier: rooms vary by about 6 dB between windows, near speech is 15 dB and more above.
    """

    name = "energy"
    MIDDLE_DB = 9.0
    SLOPE_DB = 2.0
    RISE_DB = 3.0 * WINDOW / 16000
    QUIETEST_DBFS = -70.0
    """Below this nothing counts as speech, however quiet the room."""

    def __init__(self) -> None:
        self._floor_dbfs: float | None = None
        self._smooth_db = 0.0

    def probability(self, window: Samples) -> float:
        level = level_dbfs(window)
        if self._floor_dbfs is None:
            self._floor_dbfs = level
        self._floor_dbfs = max(min(level, self._floor_dbfs + self.RISE_DB), self.QUIETEST_DBFS, FLOOR_DBFS)
        above = level - self._floor_dbfs
        self._smooth_db = max(above, 0.5 * self._smooth_db + 0.5 * above)  # bridges the gaps of plosives
        return 1.0 / (1.0 + math.exp((self.MIDDLE_DB - self._smooth_db) / self.SLOPE_DB))

    def reset(self) -> None:
        self._smooth_db = 0.0  # the floor is the room's, not the utterance's
