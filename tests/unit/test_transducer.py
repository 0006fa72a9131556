"""In: a made-up model. Out: the same numbers for every context, however many are decoded in between."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from appliance.engines.stt import transducer
from appliance.engines.stt.transducer import Transducer
from appliance.wire.child import ModelFile

PIECES = 12
FACTS = {"model_type": "zipformer2", "T": "45", "decode_chunk_len": "32"}


class Network:
    """A session that does `work` on what it is fed."""

    def __init__(self, inputs: list[SimpleNamespace], outputs: list[SimpleNamespace], work: Any) -> None:
        self.get_inputs = lambda: inputs
        self.get_outputs = lambda: outputs
        self.get_modelmeta = lambda: SimpleNamespace(custom_metadata_map=FACTS)
        self.run = lambda _, feeds: [work(*feeds.values())]


def port(name: str, *shape: int) -> SimpleNamespace:
    return SimpleNamespace(name=name, shape=shape, type="tensor(float)")


WEIGHTS = np.random.default_rng(0).normal(size=(2, PIECES)).astype(np.float32)
NETWORKS = {
    "encoder": Network([port("x", 1, 45, 80)], [], None),
    "decoder": Network([port("y", 1, 2)], [port("out", 1, 2)], lambda pairs: pairs.astype(np.float32)),
    "joiner": Network([port("encoded", 1, 2), port("decoded", 1, 2)], [], lambda sound, said: (sound + said) @ WEIGHTS),
}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Transducer:
    monkeypatch.setattr(transducer, "MOST_CONTEXTS", 32)
    monkeypatch.setattr(transducer, "facts_of", lambda file: FACTS)
    monkeypatch.setattr(transducer, "open_network", lambda file, *_: NETWORKS[file.stem])
    tokens = tmp_path / "tokens.txt"
    tokens.write_text("".join(f"p{number} {number}\n" for number in range(PIECES)), encoding="utf-8")
    files = {name: tmp_path / f"{name}.onnx" for name in NETWORKS} | {"tokens": tokens}
    return Transducer(ModelFile(name="m", language="en", kind="transducer", files=files, sha256={}), 1)


def likely(pairs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    logits = pairs @ WEIGHTS
    return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))


def test_contexts_are_decoded_again_where_newer_ones_took_their_place(made: Transducer) -> None:
    random = np.random.default_rng(1)
    for _ in range(200):
        contexts = np.unique(random.integers(0, made.context_count, random.integers(1, 16)))
        pairs = np.stack((contexts // PIECES - 1, contexts % PIECES), axis=1).astype(np.float32)
        found = made.log_probabilities(np.zeros(2, np.float32), contexts)
        assert found == pytest.approx(likely(pairs), abs=1e-4)
        silent = likely(pairs)[:, 1:]
        silent -= np.log(np.exp(silent).sum(axis=1, keepdims=True))
        assert made.expected(contexts)[:, 1:] == pytest.approx(np.maximum(silent, -255 / 8), abs=1 / 16 + 1e-4)
