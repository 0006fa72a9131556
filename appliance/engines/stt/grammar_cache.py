"""In: paths of grammar sources. Out: compiled grammars, made in the background, kept by hash.

While a changed grammar compiles, the one before it serves; only where there is none yet has an utterance to wait.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict, deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from appliance.engines.memory import give_back, share_heap
from appliance.engines.stt.accent import Accent
from appliance.engines.stt.pieces import PieceStates, Vocabulary
from appliance.engines.stt.pronounce import pronouncer
from appliance.engines.stt.sounded import SoundStates
from appliance.errors import ApplianceError, GrammarError
from appliance.grammar.automaton.determinize import Walker
from appliance.grammar.automaton.graph import Graph
from appliance.grammar.compile import compile_grammar
from appliance.grammar.source import GrammarSource
from appliance.wire.stt import Transcribe

LOG = logging.getLogger(__name__)

MOST_KEPT = 3
"""Compiled grammars in memory: a turn's own, the one after a command, and one with a question's answers."""
MOST_STATES = 16_000
"""Letter states of all grammars here (some 1 kB each with all that hangs on them); beyond it they are made anew. At 8,000 two
and a half times as many had to be made while 88 different commands were heard."""
FEW_STATES = 1_000
"""Not worth making anew, whatever the others hold: warming makes half as many."""
WARM_S = 0.5
"""Time spent on the first words' states before a grammar serves, so that the first utterance need not."""
MOST_ANSWERS = 32
YES_NO = {
    "en": ("yes", "yeah", "yes please", "no", "no thanks", "nope"),
    "de": ("ja", "ja bitte", "nein", "nein danke"),
    "fr": ("oui", "non", "non merci"),
    "es": ("sí", "no", "no gracias"),
}

Key = tuple[str, tuple[str, ...]]


class GrammarCache:
    """Compiled grammars. `want` and `get` are called on any thread; the states belong to the decoding thread."""

    def __init__(self, vocabulary: Vocabulary, accent: Accent | None = None) -> None:
        """`accent`: grammars are of another language than the model, and spelled in sounds. Raises SttError without them."""
        self._vocabulary = vocabulary
        self._accent = accent
        self._sound = None if accent is None else pronouncer(accent.language)
        share_heap()
        self._pool = ThreadPoolExecutor(1, "compile")
        self._kept: OrderedDict[Key, Future[PieceStates]] = OrderedDict()
        self._last: PieceStates | None = None
        self.compile_ms = 0.0
        self.failed = 0

    def want(self, request: Transcribe) -> Future[PieceStates] | None:
        """The grammar of `request`, being made where it is not there yet; None where none is asked for."""
        if request.grammar is None:
            return None
        key = (request.grammar, _answers(request))
        if key not in self._kept:
            self._kept[key] = self._pool.submit(self._compile, *key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def missing(self, request: Transcribe) -> Future[PieceStates] | None:
        """What an utterance has to wait for: only a first grammar, or one with a question's answers."""
        wanted = self.want(request)
        if (
            wanted is None
            or (wanted.done() and wanted.exception() is None)
            or (self._last is not None and not _answers(request))
        ):
            return None
        return wanted

    def get(self, request: Transcribe) -> PieceStates | None:
        """The best that is ready: the wanted grammar, else the one before it, else None."""
        wanted = self.want(request)
        if wanted is None:
            return None
        if wanted.done() and wanted.exception() is None:
            self._last = wanted.result()
        return self._last

    def trim(self) -> None:
        """Lets go of states beyond MOST_STATES (0.1 s once in a while); on the decoding thread, between utterances.

        Those of the grammar that served last stay longest, then those last asked for.
        """
        left = MOST_STATES
        for states in self._ready():
            states.trim(max(left, FEW_STATES))
            left = max(0, left - len(states))
        give_back()

    def _ready(self) -> list[PieceStates]:
        """Grammars that are made, the one that served last first."""
        made = [each.result() for each in list(self._kept.values())[::-1] if each.done() and each.exception() is None]
        return made if self._last is None else [self._last, *(states for states in made if states is not self._last)]

    def _compile(self, path: str, answers: tuple[str, ...]) -> PieceStates:
        began = time.perf_counter()
        try:
            compiled = compile_grammar(_read(Path(path)), answers, sound=self._sound)
            states = self._states(compiled.graph)
        except ApplianceError as error:
            self.failed += 1
            LOG.error("%s", error)
            raise
        self.compile_ms = (time.perf_counter() - began) * 1000
        LOG.info(
            "grammar: %d sentences, %d cannot be said here, %.0f ms",
            compiled.sentences,
            len(compiled.dropped),
            self.compile_ms,
        )
        return states

    def _states(self, graph: Graph) -> PieceStates:
        walker, accent = Walker(graph), self._accent
        states = (
            PieceStates(walker, self._vocabulary) if accent is None else SoundStates(walker, self._vocabulary, accent)
        )
        deadline = time.perf_counter() + WARM_S
        waiting = deque([0])
        while waiting and time.perf_counter() < deadline:
            state = waiting.popleft()
            if not states.has(state):
                waiting.extend(states.reached(state))
        return states


def _answers(request: Transcribe) -> tuple[str, ...]:
    """What is likely to be said to the question just asked."""
    context = request.context or {}
    choices = [str(each) for each in context.get("choices") or ()][:MOST_ANSWERS]
    if not choices and context.get("question"):
        choices = list(YES_NO.get((request.language or "en").split("-")[0], ()))
    return tuple(choices)


def _read(path: Path) -> GrammarSource:
    try:
        return GrammarSource.read(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GrammarError("grammar-unreadable", f"The grammar {path.name} cannot be read ({error}).") from error
