"""In: 30 ms blocks of microphone audio. Out: the score of each microWakeWord model, from INT8 TensorFlow Lite.

Run by ai-edge-litert on every Python: on alexa it gives tflite-runtime's scores (within 0.01) in a tenth of its time.

One feature front end (10 ms steps of 40 bands, as the models were trained with) serves all words.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from pymicro_features import MicroFrontend

from appliance.engines.sound.wake.models import WakeModel, find
from appliance.engines.sound.wake.protocol import Word
from appliance.errors import WakeError
from appliance.wire.child import ModelFile
from appliance.wire.sound import STOP_WORD

if TYPE_CHECKING:
    from appliance.settings.sound import WakeSettings

QUIET_RELIEF = {"9011a8155b04de858c48038529235cbc0e42e9fca05a55bf588cb80a653a723b": 0.2}
"""SHA-256 of a model → relief of its cutoff in a quiet room, where `bench wake` showed that it costs no false accept.

alexa: missed 0.6 instead of 4.3 % of 162, none false in 0.73 h; 400 phrases that sound alike, by espeak-ng, stay below
0.3. Not for the others: with it hey_jarvis, okay_nabu and hey_mycroft took 2, 4 and 25 recordings wrongly.
"""
BANDS, MOST_STRIDE = 40, 10
"""What a wake model takes: so many features at once, of so many bands each."""
FEATURE_BYTES = 320
"""The front end steps by 10 ms of 16 kHz S16."""


class MicroWakeWord:
    """All active words, one inference each every 30 ms."""

    name = "microwakeword"
    library = "ai-edge-litert"
    tail_ms = 260
    """Of 140 recordings of alexa cut off at the word's end (22 dB below its loudest frame) and joined straight to a
    command: detected 170 ms behind the end in the middle, 250 ms at p90, 280 ms at p95."""

    def __init__(self, settings: WakeSettings, models: Sequence[ModelFile] = ()) -> None:
        """Loads the models of `settings.words`, and the stop word's where the catalogue gave one.

        One that is missing, broken or not INT8 leaves the others; `problems` tells it. Raises WakeError where no wake
        word is left.
        """
        stop = settings.stop_word and any(model.name == STOP_WORD for model in models)
        words = dict.fromkeys((*settings.words, STOP_WORD) if stop else settings.words)
        problems: dict[str, WakeError] = {}
        loaded: list[tuple[WakeModel, _Net]] = []
        for word in words:
            try:
                model = find(word, settings, models)
                net = _Net(model)
                if loaded and net.stride != loaded[0][1].stride:
                    raise WakeError(
                        "mixed-wake-models",
                        f"The wake model {word} steps by another length than {loaded[0][0].name}'s.",
                    )
                loaded.append((model, net))
            except WakeError as error:
                problems[word] = error
        if not any(model.name in settings.words for model, _ in loaded):
            raise next(iter(problems.values()))
        self.problems = {word: error.message for word, error in problems.items()}
        found, self._nets = [model for model, _ in loaded], [net for _, net in loaded]
        self._stride = self._nets[0].stride
        self.step = self._stride * FEATURE_BYTES // 2
        self.words = tuple(
            Word(
                model.name,
                settings.cutoffs.get(model.name, model.cutoff),
                0.0 if model.name in settings.cutoffs else QUIET_RELIEF.get(model.sha256(), 0.0),
                model.sha256(),
            )
            for model in found
        )
        self._front_end = MicroFrontend()
        self._features: list[list[float]] = []
        self.latest: tuple[float, ...] = ()

    def take(self, audio: bytes) -> tuple[float, ...] | None:
        for start in range(0, len(audio), FEATURE_BYTES):
            output = self._front_end.process_samples(audio[start : start + FEATURE_BYTES])
            if output.features:
                self._features.append(output.features)
        if len(self._features) < self._stride:  # the first window wants 30 ms of audio
            return None
        stack = np.array(self._features[: self._stride], dtype=np.float32)
        del self._features[: self._stride]
        scores = tuple(net.score(stack) for net in self._nets)
        self.latest = tuple(net.latest for net in self._nets)
        return scores

    def reset(self) -> None:
        self.latest = ()
        self._front_end.reset()
        self._features.clear()
        for net in self._nets:
            net.reset()


class _Net:
    """One model: a streaming network that keeps its own state between inferences."""

    def __init__(self, model: WakeModel) -> None:
        try:
            interpreter: Any = Interpreter  # untyped
            self._interpreter: Any = interpreter(model_path=str(model.file), num_threads=1)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError, OSError, MemoryError) as error:
            raise WakeError("bad-wake-model", f"{model.file} is not a TensorFlow Lite model ({error}).") from error
        given, made = self._interpreter.get_input_details()[0], self._interpreter.get_output_details()[0]
        if given["dtype"] is not np.int8:
            raise WakeError("not-int8", f"{model.file} takes {given['dtype'].__name__}; only INT8 models are run.")
        if len(given["shape"]) != 3 or not 1 <= given["shape"][1] <= MOST_STRIDE or given["shape"][2] != BANDS:
            raise WakeError("bad-wake-model", f"{model.file} takes {list(given['shape'])}, which is no wake model's.")
        self.stride = int(given["shape"][1])
        self._input, (self._scale, self._zero) = given["index"], given["quantization"]
        self._output, (self._out_scale, self._out_zero) = made["index"], made["quantization"]
        self._window: deque[float] = deque(maxlen=model.window)
        self.latest = 0.0
        """The newest probability."""

    def score(self, features: NDArray[np.float32]) -> float:
        """Mean probability, 0..1, over the window that ends with these features of shape (stride, 40)."""
        scaled = np.rint(features / self._scale + self._zero).clip(-128, 127).astype(np.int8)
        self._interpreter.set_tensor(self._input, scaled[None])
        self._interpreter.invoke()
        raw = int(self._interpreter.get_tensor(self._output).flat[0])
        self.latest = (raw - self._out_zero) * self._out_scale
        self._window.append(self.latest)
        return sum(self._window) / self._window.maxlen if self._window.maxlen else 0.0

    def reset(self) -> None:
        self._interpreter.reset_all_variables()
        self._window.clear()
