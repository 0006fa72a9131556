"""In: searches at some point of the audio. Out: what they say: text, completeness, confidence, alternatives."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import groupby

from appliance.engines.stt.alignment import along
from appliance.engines.stt.beam import Beam
from appliance.engines.stt.confidence import Evidence, confidence
from appliance.engines.stt.free import FreeSearch
from appliance.engines.stt.letters import letters_apart
from appliance.engines.stt.pieces import PieceStates, Vocabulary
from appliance.engines.stt.transducer import Encoded, Transducer
from appliance.engines.stt.unexplained import only_numbers_differ, turning_words, unexplained
from appliance.grammar.automaton.ahead import MANY_SLOTS

CLEARLY = 2.0
"""Natural log: how far a whole sentence must be ahead of the beginnings of longer ones to be called complete."""
LONGER_FITS = 3.0
"""Natural log: a whole sentence this far behind the best beginning of a longer one is whole only because a word was made up,
"a dark roast coffee" of "a dark roast". So are 3 of 237 ends of commands (none of 200 orders), and all of 29 readings
that took a pause in an order for its end with a word that was not said."""
MOST_MARGIN = 10.0
SAME_SOUND = 4.0
"""Natural log: the less the free reading fits the sound better than this, the less it counts that its letters
differ. "Pause", heard as "oh" by the free search, is 0.1 behind that; of 72 foreign readings the nearest was 3.6 behind."""
ALTERNATIVE_SCALE = 0.3
"""Share of its score's distance by which another sentence is less sure than the best: hypotheses of one model are
overconfident. At 0.3 a tenth less confidence (`intents.ask_within`) is 0.35 natural log, odds of 59 to 41."""
NUMBER_SCALE = 0.05
"""The same for a sentence that differs in a number only: "fifteen" and "fifty" are one weak sound apart, so the device asks
back where they are less than some two natural logs apart."""
USUALLY_SKIPPED = 1.5
"""Natural log: of right readings 0.7 % leave out more than twice this."""
MOST_SKIPPED = 6.0
USUAL_STRETCH = 4.0
MOST_STRETCH = 10.0
MOST_READ = 4
"""Different sentences looked at."""
LETTER = 0.25
"""Natural log: what each letter costs by which a whole sentence departs from what the free search heard. It tells words apart
that the model seldom writes: of 600 orders in noise 572 were read right without, 577 with 0.2 to 0.25, 575 with 0.5."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was said, as far as it is known."""

    text: str
    free_text: str
    confidence: float | None = None
    complete: bool = False
    extendable: bool = True
    slots_ahead: int = MANY_SLOTS
    behind: float = 0.0
    """Natural log: by how much the beginning of a longer sentence fits the sound better."""
    alternatives: tuple[tuple[str, float], ...] = ()
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class _Whole:
    """A whole sentence among the hypotheses."""

    said: str
    """In letter form, as it was heard."""
    text: str
    score: float
    """How well it fits the sound."""
    worth: float
    """The same less what its letters cost."""
    at: int


class Readings:
    """Reads searches over one grammar."""

    def __init__(self, transducer: Transducer, vocabulary: Vocabulary, states: PieceStates | None) -> None:
        self._transducer = transducer
        self._vocabulary = vocabulary
        self._states = states

    @property
    def constrained(self) -> bool:
        """Whether there is a grammar at all."""
        return self._states is not None

    def read(
        self, grammar: Beam | None, rival: FreeSearch, free: FreeSearch, encoded: Encoded | None = None
    ) -> Reading:
        """The reading. `encoded`: all frames, where silence was put behind the sound, so that only whole sentences count."""
        led_to_end = encoded is not None
        free_text = self._vocabulary.text(free.pieces())
        if grammar is None or self._states is None:
            return Reading(free_text, free_text)
        rival_text = self._vocabulary.text(rival.pieces())
        wholes = self._wholes(grammar, rival_text if led_to_end else None)
        best = float(grammar.hypotheses.score[0])
        if not wholes or (not led_to_end and wholes[0].score < best - CLEARLY):
            return Reading(self._states.walker.write(self._said(grammar, 0, whole=False), whole=False) or "", free_text)
        first = wholes[0]
        if not first.said or not free_text:
            return Reading("", free_text)  # with its blank penalty the grammar finds words in silence too
        margin = first.worth - wholes[1].worth if len(wholes) > 1 else MOST_MARGIN
        evidence = self._evidence(grammar, first, rival.score, margin, (free_text, rival_text))
        if encoded is not None:
            evidence = self._accounted(evidence, grammar, first, rival, encoded, (free_text, rival_text))
        sure = confidence(evidence, self._states.weights)
        others = tuple(
            (each.text, sure * math.exp(_scale(first, each) * (each.worth - first.worth)))
            for each in (wholes[1:] if led_to_end else ())
            if each.text
        )
        state = int(grammar.hypotheses.state[first.at])
        likeliest = max(wholes, key=lambda each: each.score)
        return Reading(
            first.text,
            free_text,
            sure,
            complete=True,
            extendable=self._states.walker.extendable(state),
            slots_ahead=self._states.walker.slots_ahead(state),
            behind=self._best_beginning(grammar, likeliest) - likeliest.score,
            alternatives=others,
            evidence=evidence,
        )

    def _best_beginning(self, grammar: Beam, whole: _Whole) -> float:
        """Natural log, of the hypotheses that end with a word; free text fits every sound and counts only against itself."""
        assert self._states is not None
        now, walker = grammar.hypotheses, self._states.walker
        for score, state, loose in zip(now.score.tolist(), now.state.tolist(), now.loose.tolist(), strict=True):
            if score <= whole.score:
                break
            if (not loose or now.loose[whole.at]) and (walker.is_wild(state) or " " in walker.letters(state)):
                return float(score)
        return whole.score

    def _wholes(self, grammar: Beam, heard: str | None) -> list[_Whole]:
        """Whole sentences, the worthiest first, each text once: what is spelled otherwise is no other sentence.

        `heard`: what their letters are compared with; None where that is not worth the time.
        """
        assert self._states is not None
        walker = self._states.walker
        found: dict[str, _Whole] = {}
        scored = []
        states, scores = grammar.hypotheses.state.tolist(), grammar.hypotheses.score.tolist()
        for at, (state, score) in enumerate(zip(states, scores, strict=True)):
            if (end := self._states.final(state)) is not None:
                scored.append((score - end, at))
        for score, at in sorted(scored, reverse=True):
            said = self._said(grammar, at, whole=True)
            text = walker.write(said) or ""
            if text not in found:
                dear = 0.0 if heard is None else LETTER * letters_apart(self._letters(grammar, at), heard)
                found[text] = _Whole(said, text, score, score - dear, at)
            if len(found) == MOST_READ:
                break
        return sorted(found.values(), key=lambda each: each.worth, reverse=True)

    def _said(self, search: Beam, at: int, *, whole: bool) -> str:
        """In the letters of the grammar."""
        assert self._states is not None
        pieces, state = search.trace.pieces(int(search.hypotheses.trace[at])), int(search.hypotheses.state[at])
        return self._states.heard(pieces, state, whole=whole)

    def _letters(self, search: Beam, at: int) -> str:
        """In the letters of the model: another language's grammar has sounds instead."""
        return self._vocabulary.text(search.trace.pieces(int(search.hypotheses.trace[at])))

    def _evidence(
        self, grammar: Beam, whole: _Whole, rival_score: float, margin: float, free_texts: tuple[str, str]
    ) -> Evidence:
        pieces = grammar.trace.evidence(int(grammar.hypotheses.trace[whole.at]))
        word = 0
        words: list[tuple[int, float]] = []
        for piece, regret, _ in pieces:
            word += bool(self._vocabulary.opens_word[piece])
            words.append((word, regret))
        worst = max(sum(regret for _, regret in each) for _, each in groupby(words, lambda pair: pair[0]))
        gap = max(0.0, rival_score - whole.score)
        said = self._vocabulary.text([piece for piece, _, _ in pieces])
        return Evidence(
            gap=gap / len(pieces),
            worst_word=min(worst, 20.0),
            margin=max(-MOST_MARGIN, min(margin, MOST_MARGIN)),
            wild_share=sum(free for _, _, free in pieces) / len(pieces),
            total_gap=min(gap, 40.0),
            shortness=1 / len(pieces),
            worst_share=min(worst, 20.0) / len(pieces),
            unlike=min(1.0, gap / SAME_SOUND) * min(_unlikeness(said, text) for text in free_texts),
        )

    def _accounted(
        self,
        evidence: Evidence,
        grammar: Beam,
        whole: _Whole,
        rival: FreeSearch,
        encoded: Encoded,
        free_texts: tuple[str, str],
    ) -> Evidence:
        """`evidence`, with what the sentence leaves unexplained of the sound and of what was heard freely."""
        ours = along(self._transducer, encoded, grammar.trace.timed(int(grammar.hypotheses.trace[whole.at])))
        left = unexplained(ours, along(self._transducer, encoded, rival.timed()))
        return replace(
            evidence,
            skipped=min(max(0.0, left.skipped - USUALLY_SKIPPED), MOST_SKIPPED),
            stretch=min(max(0.0, left.stretch - USUAL_STRETCH), MOST_STRETCH),
            turned=min(1.0, evidence.total_gap / SAME_SOUND) * turning_words(whole.said, *free_texts),
        )


def _scale(first: _Whole, other: _Whole) -> float:
    return NUMBER_SCALE if only_numbers_differ(first.said, other.said) else ALTERNATIVE_SCALE


def _unlikeness(text: str, other: str) -> float:
    """Share of the letters that differ, 0..1 (1 - Ratcliff-Obershelp)."""
    return 1 - SequenceMatcher(None, text, other, autojunk=False).ratio()
