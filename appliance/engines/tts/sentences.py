"""In: a reply text. Out: pieces that are spoken one after another, the first one short, and the pause behind each.

A caller may mark cuts with U+001F between constant and variable parts ("The timer has\x1ffive minutes\x1fleft."): the parts
are then pieces of their own, cached and made separately. Without a mark, sentences are the pieces.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

CUT = "\x1f"
"""Mark between constant and variable parts of a text."""

SENTENCE_PAUSE_MS = 220
CLAUSE_PAUSE_MS = 110
JOINT_PAUSE_MS = 15
"""Between words of one clause; what the fades take is given back."""

SECONDS_A_LETTER = 0.07
"""Of the two small English voices, ±20 %; a digit is a spoken word, about five letters."""
FIRST_S = 1.4
"""Wanted length of the first piece: at a real-time factor of 0.05 it is made in 70 ms."""
FIRST_LEAST_S = 0.45
"""A shorter first piece would be over before the second is made where cores are three times slower."""
GROWTH = 5.0
"""At a real-time factor of 0.05, times three for slower cores, a piece is made before those before it have played."""
SENTENCE_S = 4.5
"""A longer sentence is cut at its clauses: an inference keeps about 12 MB for every second that it makes."""

_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)")
_CLAUSE_END = re.compile(r"[,;:–—](?=\s)|\s[–—-](?=\s)")
# fmt: off
_ABBREVIATIONS = frozenset({
    "mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "vs", "etc", "approx", "no", "nr", "inc", "ltd", "mt", "ft",
    "e.g", "i.e", "a.m", "p.m", "u.s", "u.k", "z.b", "d.h", "u.a", "usw", "bzw", "ca", "hr", "fr", "ggf", "inkl",
    "str", "mme", "mlle", "p.ex", "av", "env", "sra", "srta", "ud", "uds", "p.ej",
})
"""Words whose point ends no sentence; English, German, French, Spanish."""
_WORDS_THAT_BEGIN = frozenset({
    "and", "or", "but", "because", "while", "when", "if", "that", "which", "who", "is", "are", "was", "were", "will",
    "has", "have", "in", "on", "at", "to", "for", "from", "with", "until", "after", "before", "of", "by", "about",
    "und", "oder", "aber", "weil", "wenn", "dass", "ist", "sind", "war", "hat", "im", "auf", "an", "am", "zu", "für",
    "von", "mit", "bis", "nach", "vor", "et", "ou", "mais", "est", "sont", "dans", "sur", "à", "de", "pour", "avec",
    "y", "o", "pero", "es", "son", "está", "en", "por", "con", "desde", "hasta",
})
"""Words before which a clause may be parted with the least harm to its melody."""
# fmt: on


@dataclass(frozen=True, slots=True)
class Piece:
    """A text that is synthesised at one go."""

    text: str
    pause_ms: int
    """Silence behind it, before the next piece."""


def pieces(text: str, kept: Callable[[str], bool]) -> list[Piece]:
    """Pieces of a reply, in order, none empty; the first one is cut for an early start unless it is `kept` as a whole."""
    found = whole_sentences(text)
    if not found or kept(found[0].text):
        return found
    return [*started_early(found[0]), *found[1:]]


def whole_sentences(text: str) -> list[Piece]:
    """As `pieces`, without the early start: what is kept warm, and what is looked up first."""
    parts = [part for part in text.split(CUT) if _speakable(part)]
    found: list[Piece] = []
    for number, part in enumerate(parts):
        cut = [piece for sentence in _sentences(part) for piece in _parted(sentence)]
        if cut and number + 1 < len(parts):
            cut[-1] = Piece(cut[-1].text, _pause_after(cut[-1].text, JOINT_PAUSE_MS))
        found += cut
    return found


def started_early(sentence: Piece) -> list[Piece]:
    """The sentence in pieces, the first about FIRST_S long, each further one at most GROWTH times what came before it."""
    found: list[Piece] = []
    rest, most_s = sentence.text, FIRST_S
    while duration_s(rest) > 1.4 * most_s and (at := _best_cut(rest, most_s)) is not None:
        head, rest = rest[:at].rstrip(), rest[at:].lstrip()
        found.append(Piece(head, _pause_after(head, JOINT_PAUSE_MS)))
        most_s = GROWTH * sum(duration_s(piece.text) for piece in found)
    return [*found, Piece(rest, sentence.pause_ms)]


def duration_s(text: str) -> float:
    """About how long the text takes to say."""
    return SECONDS_A_LETTER * sum(5 if letter.isdigit() else 1 for letter in text)


def _sentences(text: str) -> list[str]:
    found, start = [], 0
    for match in _END.finditer(text):
        if _ends_sentence(text, match):
            found.append(text[start : match.end()])
            start = match.end()
    found.append(text[start:])
    return [sentence.strip() for sentence in found if _speakable(sentence)]


def _ends_sentence(text: str, match: re.Match[str]) -> bool:
    if match[0][0] != ".":
        return True
    before, after = text[: match.start()].split(), text[match.end() :].lstrip()
    word = before[-1].lower().lstrip("(\"'") if before else ""
    if word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word != "i"):
        return word in ("a.m", "p.m", "etc", "usw") and after[:1].isupper()
    if word.isdigit() and after[:1].islower():  # an ordinal: "am 3. mai", "the 3. of"
        return False
    return not after[:1].islower()


def _parted(sentence: str) -> list[Piece]:
    """One piece, or its clauses gathered up to SENTENCE_S, or words where even a clause is longer."""
    if duration_s(sentence) <= SENTENCE_S:
        return [Piece(sentence, SENTENCE_PAUSE_MS)]
    gathered: list[str] = []
    for clause in _clauses(sentence):
        for run in _runs(clause):
            if gathered and duration_s(gathered[-1]) + duration_s(run) <= SENTENCE_S:
                gathered[-1] += " " + run
            else:
                gathered.append(run)
    last = len(gathered) - 1
    return [
        Piece(run, SENTENCE_PAUSE_MS if number == last else _pause_after(run, JOINT_PAUSE_MS))
        for number, run in enumerate(gathered)
    ]


def _clauses(sentence: str) -> list[str]:
    ends = [match.end() for match in _CLAUSE_END.finditer(sentence)]
    cuts = [0, *ends, len(sentence)]
    found = [sentence[start:end].strip() for start, end in pairwise(cuts)]
    return [clause for clause in found if _speakable(clause)]


def _runs(clause: str) -> list[str]:
    """Runs of words of SENTENCE_S at most; one endless word is cut by letters."""
    most = int(SENTENCE_S / SECONDS_A_LETTER / 5)  # it may be all digits
    runs = [""]
    for word in clause.split():
        for part in [word[at : at + most] for at in range(0, len(word), most)]:
            if runs[-1] and duration_s(runs[-1]) + duration_s(part) > SENTENCE_S:
                runs.append(part)
            else:
                runs[-1] = f"{runs[-1]} {part}".strip()
    return runs


def _best_cut(sentence: str, wanted_s: float) -> int | None:
    """Where a first piece of about `wanted_s` ends: behind a comma, else before a phrase, else between words."""
    best: tuple[float, int] | None = None
    for match in re.finditer(r"\s+", sentence):
        head, rest = sentence[: match.start()], sentence[match.end() :]
        length = duration_s(head)
        if length < FIRST_LEAST_S or not _speakable(rest) or duration_s(rest) < FIRST_LEAST_S:
            continue
        follower = re.split(r"[\s,;:.!?]", rest, maxsplit=1)[0].lower()
        harm = 0.0 if _CLAUSE_END.search(head + " ", len(head) - 1) else 0.4 if follower in _WORDS_THAT_BEGIN else 0.9
        late = (1.2 * max(0.0, length - wanted_s) + 0.5 * max(0.0, wanted_s - length)) * FIRST_S / wanted_s
        if best is None or harm + late < best[0]:
            best = (harm + late, match.start())
    return best[1] if best else None


def _pause_after(text: str, otherwise_ms: int) -> int:
    mark = text.rstrip("\"'”’)] ")[-1:]
    if mark in ".!?…":
        return SENTENCE_PAUSE_MS
    return CLAUSE_PAUSE_MS if mark in ",;:–—-" else otherwise_ms


def _speakable(text: str) -> bool:
    return any(letter.isalnum() or letter in "%°€$£+&@" for letter in text)
