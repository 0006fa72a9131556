"""In: filter bank frames. Out: log probabilities of the next piece, from a streaming zipformer transducer in onnxruntime.

One encoder pass serves every search. Encoder states are values: keeping them is copying them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.engines.stt.features import BINS, Frames
from appliance.engines.stt.network import open_network
from appliance.engines.stt.onnx_facts import facts_of
from appliance.errors import SttError
from appliance.wire.child import ModelFile

KNOWN_TYPES = ("zipformer2", "zipformer")
"""model_type of encoders whose states all start as zeros and come back in the order of the inputs."""
MOST_CONTEXTS = 2_048
"""Decoder outputs kept, with what each expects (1.8 kB with 320 dimensions and 500 pieces); more than a frame can ask for."""
EXPECTED_STEP = np.float32(1 / 8)
"""Natural log: what the decoder expects is kept in a byte; of a share of 0.3 of it the error is 0.02 at the most."""
NOT_DECODED = 0
"""The row of a context that has none yet."""
DTYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(int32)": np.int32}

States = list[NDArray[Any]]
Encoded = NDArray[np.float32]
"""(frames, joiner dimension); one frame is 40 ms."""


def drivable(model: ModelFile) -> str | None:
    """None where `Transducer` can run `model`, else the reason why not."""
    if model.kind != "transducer":
        return f"{model.name} is no transducer"
    kind = facts_of(model.files["encoder"]).get("model_type", "unknown")
    return None if kind in KNOWN_TYPES else f"{model.name} is of the type '{kind}'"


class Transducer:
    """Encoder, decoder and joiner. Raises SttError where a file cannot be loaded."""

    def __init__(self, model: ModelFile, threads: int, folder: Path | None = None) -> None:
        """`folder`: see open_network; of the decoder and the joiner there is nothing to gain."""
        if (reason := drivable(model)) is not None:
            raise SttError("model-unknown", f"The constrained search cannot run: {reason}.")
        self._encoder = open_network(model.files["encoder"], threads, model.sha256.get("encoder", ""), folder)
        self._decoder = open_network(model.files["decoder"], 1)
        self._joiner = open_network(model.files["joiner"], 1)
        facts = self._encoder.get_modelmeta().custom_metadata_map
        try:
            self.window, self.hop = int(facts["T"]), int(facts["decode_chunk_len"])
        except (KeyError, ValueError) as error:
            raise SttError("model-unknown", f"{model.name} does not say its chunk length.") from error
        inputs = self._encoder.get_inputs()
        self._names = [each.name for each in inputs]
        self._shapes = [([d if isinstance(d, int) else 1 for d in i.shape], DTYPES[i.type]) for i in inputs[1:]]
        self._joiner_names = [each.name for each in self._joiner.get_inputs()]
        decoder = self._decoder.get_inputs()[0]
        self._decoder_name, self.history = decoder.name, int(decoder.shape[1])
        if self.history != 2:
            raise SttError("model-unknown", f"{model.name} looks back {self.history} pieces; the search knows 2 only.")
        self.pieces = _read_pieces(model.files["tokens"])
        self.context_count = (len(self.pieces) + 1) * len(self.pieces)
        # zeros are memory only where they are written: of many pieces there are millions of contexts
        self._rows = np.zeros(self.context_count + 1, np.int16)
        self._contexts = np.full(MOST_CONTEXTS + 1, self.context_count, np.int32)
        self._decoded_count = 0
        self._outputs = np.zeros((MOST_CONTEXTS + 1, int(self._decoder.get_outputs()[0].shape[1])), np.float32)
        self._expected = np.zeros((MOST_CONTEXTS + 1, len(self.pieces)), np.uint8)

    def states(self) -> States:
        """Encoder states before the first frame."""
        return [np.zeros(shape, dtype) for shape, dtype in self._shapes]

    def encode(self, frames: Frames, states: States) -> tuple[Encoded, States]:
        """`window` frames → encoded frames and the next states; the next window starts `hop` frames later."""
        feeds = dict(zip(self._names, [frames.reshape(1, self.window, BINS), *states], strict=True))
        encoded, *after = self._encoder.run(None, feeds)
        return encoded[0], after

    def log_probabilities(self, encoded: Encoded, contexts: NDArray[np.int64]) -> NDArray[np.float32]:
        """(contexts, pieces), natural log; `encoded` is one frame, contexts are `older * pieces + newer`."""
        rows = self._decoded(contexts)
        return self._joined(np.broadcast_to(encoded, (len(contexts), len(encoded))), self._outputs[rows])

    def along(self, encoded: Encoded, contexts: NDArray[np.int64]) -> NDArray[np.float32]:
        """(frames, pieces), natural log: each frame behind its own context."""
        return self._joined(encoded, self._outputs[self._decoded(contexts)])

    def _joined(self, encoded: NDArray[np.float32], decoded: NDArray[np.float32]) -> NDArray[np.float32]:
        feeds = dict(zip(self._joiner_names, (encoded, decoded), strict=True))
        logits: NDArray[np.float32] = self._joiner.run(None, feeds)[0]
        logits -= logits.max(axis=1, keepdims=True)
        logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return logits

    def expected(self, contexts: NDArray[np.int64]) -> NDArray[np.float32]:
        """(contexts, pieces), natural log: how likely the decoder alone, without any sound, holds each piece; 0 for blank.

        This is the language that the model was trained on. A grammar knows better what is said here; taking a share of it
        back (internal language model estimation, with the encoder's output set to zero) lets the sound decide.
        """
        return self._expected[self._decoded(contexts)] * -EXPECTED_STEP

    def _decoded(self, contexts: NDArray[np.int64]) -> NDArray[np.int16]:
        """Rows of `contexts`, made where they are missing, in the place of the oldest."""
        while len(missing := contexts[self._rows[contexts] == NOT_DECODED]):
            self._decode(missing)  # which may have taken the place of others of them
        return self._rows[contexts]

    def _decode(self, contexts: NDArray[np.int64]) -> None:
        count = len(self.pieces)
        # -1 stands for "before the sentence", as sherpa-onnx gives it
        pairs = np.stack((contexts // count - 1, contexts % count), axis=1)
        output = self._decoder.run(None, {self._decoder_name: pairs})[0]
        rows = (self._decoded_count + np.arange(len(contexts))) % MOST_CONTEXTS + 1
        self._decoded_count += len(contexts)
        self._rows[self._contexts[rows]] = NOT_DECODED
        self._contexts[rows] = contexts
        self._rows[contexts] = rows
        self._outputs[rows] = output
        silent = self._joined(np.zeros_like(output), output)[:, 1:]
        silent -= np.log(np.exp(silent).sum(axis=1, keepdims=True))
        self._expected[rows, 1:] = np.rint(silent / -EXPECTED_STEP).clip(0, 255)

    def first_context(self) -> int:
        """The context before the first piece."""
        return 0

    def after(self, contexts: NDArray[np.int64], pieces: NDArray[np.int64]) -> NDArray[np.int64]:
        """Contexts once `pieces` have been said."""
        count = len(self.pieces)
        return (contexts % count + 1) * count + pieces


def _read_pieces(file: Path) -> list[str]:
    """Piece number → text."""
    found: dict[int, str] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        text, _, number = line.rpartition(" ")
        found[int(number)] = text
    return [found.get(at, "") for at in range(max(found) + 1)]
