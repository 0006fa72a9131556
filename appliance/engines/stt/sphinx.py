"""In: samples and a grammar. Out: a sentence of its reduced form, from the starter engine that needs no download.

pocketsphinx gets the grammar as a network of words; whole utterances are decoded, at a flush and at the end.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pocketsphinx

from appliance.engines.stt.loudness import is_quiet
from appliance.engines.stt.protocol import RATE_HZ, Samples
from appliance.errors import ApplianceError, SttError
from appliance.grammar.automaton.determinize import Walker
from appliance.grammar.automaton.word_network import WordNetwork, word_network
from appliance.grammar.compile import compile_grammar
from appliance.grammar.lexicon.spoken import letters
from appliance.grammar.source import GrammarSource
from appliance.wire.stt import Partial, Transcribe, Transcript

TAIL = RATE_HZ // 4
"""Samples of silence behind the utterance: the search must come to a sentence's end."""
MOST_TRIMMED = 3
"""Words taken off an unfinished hypothesis."""
MOST_KEPT = 3
FREE = "free"
LANGUAGE = "en"
"""Of its acoustic model. German words spelled out in its phones (by way of espeak-ng) were right 3 times in 24: see
docs/languages.md."""


class SphinxRecogniser:
    """The engine 'pocketsphinx': English; about 1 of 14 real home commands, most synthetic ones, 0.15 of real time."""

    name = "pocketsphinx"

    def __init__(self) -> None:
        maker: Any = pocketsphinx
        try:
            self._decoder = maker.Decoder(samprate=RATE_HZ, loglevel="FATAL", lm=None)
            self._known = _dictionary(Path(maker.get_model_path("en-us/cmudict-en-us.dict")))
            self._decoder.add_lm_file(FREE, maker.get_model_path("en-us/en-us.lm.bin"))
        except (RuntimeError, OSError, ValueError) as error:
            raise SttError("model-refused", f"pocketsphinx does not start: {error}.") from error
        self.model: str | None = None
        self.versions = {"pocketsphinx": version("pocketsphinx")}
        self.notes: tuple[str, ...] = (
            "This is the starter engine; `appliance models fetch` gets a better one.",
            "Hotwords are refused: pocketsphinx has none.",
        )
        self._pool = ThreadPoolExecutor(1, "compile")
        self._made: OrderedDict[str, Future[tuple[Walker, WordNetwork]]] = OrderedDict()
        self._active: dict[str, Walker] = {}
        self._decoder.activate_search(FREE)

    def prepare(self, request: Transcribe) -> Future[Any] | None:
        if request.grammar is None:
            return None
        if request.grammar not in self._made:
            self._made[request.grammar] = self._pool.submit(self._compile, request.grammar)
        made = self._made[request.grammar]
        return None if made.done() else made

    def _compile(self, path: str) -> tuple[Walker, WordNetwork]:
        source = GrammarSource.read(Path(path))
        if source.language.split("-")[0] != LANGUAGE:
            raise SttError(
                "language-unknown",
                f"The starter engine hears English only, not '{source.language}': take a model of that language.",
            )
        walker = Walker(compile_grammar(source, reduced=True).graph)
        return walker, word_network(walker, self._known)

    def learning(self, request: Transcribe) -> Future[Any] | None:
        return self.prepare(request)

    def utterance(self, request: Transcribe) -> SphinxUtterance:
        made = self._made.get(request.grammar) if request.grammar else None
        if made is None or not made.done():
            return SphinxUtterance(self._decoder, FREE, None)
        try:
            walker, network = made.result()
        except SttError:
            raise
        except (ApplianceError, OSError, ValueError, KeyError, TypeError) as error:
            raise SttError("grammar-unreadable", f"The grammar cannot be used: {error}.") from error
        assert request.grammar is not None
        self._install(request.grammar, walker, network)
        return SphinxUtterance(self._decoder, request.grammar, walker)

    def _install(self, name: str, walker: Walker, network: WordNetwork) -> None:
        """Gives the decoder the network, once; the oldest is taken away beyond MOST_KEPT."""
        if name in self._active:
            return
        arcs = []
        for arc in network.arcs:
            chance = max(1e-6, math.exp(-arc.cost))
            arcs.append((arc.source, arc.target, chance, arc.word) if arc.word else (arc.source, arc.target, chance))
        fsg = self._decoder.create_fsg(name, network.start, network.final, arcs)
        self._decoder.add_fsg(name, fsg)
        self._active[name] = walker
        while len(self._active) > MOST_KEPT:
            oldest = next(iter(self._active))
            self._active.pop(oldest)
            self._decoder.remove_search(oldest)
            self._made.pop(oldest, None)

    def rest(self) -> None:
        """Old grammars go when new ones come."""

    def counters(self) -> dict[str, float]:
        return {"grammars": float(len(self._active))}


def _dictionary(file: Path) -> dict[str, str]:
    """Letter form → word of the dictionary. Plain words win over those with an apostrophe."""
    known: dict[str, str] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        word = line.split(maxsplit=1)[0]
        if "(" not in word and "." not in word and "-" not in word:
            form = letters(word)
            if form and (form not in known or word == form):
                known[form] = word
    return known


class SphinxUtterance:
    """One utterance; its samples are kept (at most a minute) and decoded as a whole."""

    def __init__(self, decoder: Any, search: str, walker: Walker | None) -> None:
        self._decoder = decoder
        self._search = search
        self._walker = walker
        self._kept: list[Samples] = []
        self._done: tuple[int, str] | None = None

    def accept(self, samples: Samples) -> Partial | None:
        self._kept.append(samples)
        return None

    def flush(self) -> Partial:
        said, written = self._decode()
        samples = sum(map(len, self._kept))
        return Partial(
            text=written,
            audio_ms=samples * 1000 // RATE_HZ,
            free_text=said,
            complete=self._walker is not None and bool(written),
            flushed=True,
        )

    def finish(self) -> Transcript:
        said, written = self._decode()
        return Transcript(text=written, free_text=said, complete=self._walker is not None and bool(written))

    def _decode(self) -> tuple[str, str]:
        """(what was said, how that is written)."""
        samples = np.concatenate([np.zeros(0, np.float32), *self._kept])
        if self._done is None or self._done[0] != len(samples):
            self._done = len(samples), self._hear(samples)
        said = self._done[1]
        return said, said if self._walker is None else _whole(self._walker, letters(said))

    def _hear(self, samples: Samples) -> str:
        if is_quiet(samples):
            return ""
        self._decoder.activate_search(self._search)
        self._decoder.start_utt()
        samples = np.concatenate([samples, np.zeros(TAIL, np.float32)])
        self._decoder.process_raw((samples * 32767).astype("<i2").tobytes(), full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        return " ".join(found.hypstr.split()) if found is not None else ""


def _whole(walker: Walker, said: str) -> str:
    """The longest beginning of `said` that is a sentence: pocketsphinx also gives hypotheses that lead nowhere yet."""
    words = said.split()
    for count in range(len(words), max(0, len(words) - MOST_TRIMMED - 1), -1):
        if (written := walker.write(" ".join(words[:count]))) is not None:
            return written
    return ""
