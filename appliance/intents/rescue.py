"""In: a free text that is no command. Out: the nearest command that the grammar allows, and how far away it is.

Only for recognisers that cannot be held to the grammar themselves ("senator for five minutes"). Compared are rough
sounds without spaces, because such recognisers cut words in the wrong places. Bounded: some thousand skeletons of
sentences, of which shared letter triples choose MOST_COMPARED for the exact comparison.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from hassil.numbers import get_rbnf_engine

from appliance.grammar.source import GrammarSource
from appliance.intents.interpretation import Interpretation
from appliance.intents.recognise import Interpreter
from appliance.intents.skeletons import SLOT, skeletons

NEAR = 0.34
"""Largest distance that is worth a try: every third sound wrong."""
MOST_COMPARED = 60
MOST_SKELETONS = 30_000
MOST_WORDS = 16
"""Longer texts are talk, not a misheard command."""
_LONGEST_NAME_WORDS = 4
_NAMES_TRIED = 6

_SOUNDS = (
    (re.compile(r"ph"), "f"),
    (re.compile(r"gh|[hw']"), ""),
    (re.compile(r"c(?=[eiy])"), "s"),
    (re.compile(r"[ckq]"), "k"),
    (re.compile(r"[zx]"), "s"),
    (re.compile(r"v"), "f"),
    (re.compile(r"d"), "t"),
    (re.compile(r"b"), "p"),
    (re.compile(r"g"), "k"),
    (re.compile(r"m"), "n"),
    (re.compile(r"[eiy]+"), "e"),
    (re.compile(r"[aou]+"), "o"),
    (re.compile(r"(.)\1+"), r"\1"),
)


@dataclass(frozen=True, slots=True)
class Rescue:
    """A command that may have been meant."""

    interpretation: Interpretation
    distance: float
    """0 (sounds the same) .. NEAR: share of sounds that differ."""


class Rescuer:
    """Finds near misses in one grammar. Making it takes about a second of CPU: do it beside the conversation."""

    def __init__(self, source: GrammarSource, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._language = source.language
        self._numbers = dict(_number_words(source.language))
        sampled = tuple(dict.fromkeys(islice(skeletons(source), MOST_SKELETONS)))
        self._skeletons = _Index((_heard(skeleton), skeleton) for skeleton in sampled)
        lists = source.sentences.get("lists", {})
        self._names = _Index(
            (sounds(value["in"]), f"{kind}\n{value['in']}")
            for kind in ("name", "area")
            for value in lists.get(kind, {}).get("values", ())
        )

    def rescue(self, text: str, context: Interpretation | None = None) -> Rescue | None:
        """The nearest command not farther than NEAR; None if there is none. Takes some 10–50 ms of CPU."""
        words = text.casefold().split()[: MOST_WORDS + 1]
        if not words or len(words) > MOST_WORDS:
            return None
        best: Rescue | None = None
        for distance, candidate in sorted(self._candidates(words))[:8]:
            if distance > NEAR or (best is not None and distance >= best.distance):
                break
            meaning = self._interpreter.interpret(candidate, context)
            if meaning is not None:
                best = Rescue(meaning, round(distance, 3))
        return best

    def _candidates(self, words: list[str]) -> Iterator[tuple[float, str]]:
        """(distance, sentence): the words with numbers and perhaps one name taken out, against every skeleton."""
        plain, numbers = self._without_numbers(words)
        for start, end, kind, name, miss in [(0, 0, "", "", 0.0), *self._spans(plain)]:
            rest = plain if not kind else [*plain[:start], f"{{{kind}}}", *plain[end:]]
            weight = len(sounds(name))
            for skeleton, distance, length in self._skeletons.near(_heard(" ".join(rest))):
                filled = _fill(skeleton, kind, name, numbers)
                if filled is not None:
                    yield (distance * length + miss * weight) / max(1, length + weight), filled

    def _spans(self, words: list[str]) -> list[tuple[int, int, str, str, float]]:
        """Places that sound like a name of the home, the best first."""
        found = []
        for start in range(len(words)):
            for end in range(start + 1, min(len(words), start + _LONGEST_NAME_WORDS) + 1):
                span = words[start:end]
                if "#" in span:
                    break
                for entry, miss, _ in self._names.near(sounds(" ".join(span)))[:1]:
                    kind, name = entry.split("\n")
                    if miss <= NEAR:
                        found.append((start, end, kind, name, miss))
        return sorted(found, key=lambda item: item[4] - 0.02 * len(item[3]))[:_NAMES_TRIED]

    def _without_numbers(self, words: list[str]) -> tuple[list[str], list[str]]:
        """Numbers, said in words or digits, become '#'."""
        plain: list[str] = []
        numbers: list[str] = []
        place = 0
        while place < len(words):
            for length in range(min(4, len(words) - place), 0, -1):
                said = " ".join(words[place : place + length])
                if said in self._numbers or said.isdigit():
                    plain.append("#")
                    numbers.append(self._numbers.get(said, said))
                    place += length
                    break
            else:
                plain.append(words[place])
                place += 1
        return plain, numbers


class _Index:
    """Entries by the triples of their sounds."""

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        self._entries = [entry for entry in entries if entry[0]]
        self._by_triple: dict[str, list[int]] = defaultdict(list)
        for number, (heard, _) in enumerate(self._entries):
            for triple in _triples(heard):
                self._by_triple[triple].append(number)

    def near(self, heard: str) -> list[tuple[str, float, int]]:
        """(entry, distance, length): those not farther than NEAR, the nearest first."""
        shared: Counter[int] = Counter()
        for triple in _triples(heard):
            shared.update(self._by_triple.get(triple, ()))
        ranked = sorted(shared, key=lambda n: abs(len(self._entries[n][0]) - len(heard)) - 2 * shared[n])
        found = []
        for number in ranked[:MOST_COMPARED]:
            entry, text = self._entries[number]
            length = max(len(entry), len(heard))
            steps = _edits(heard, entry, int(NEAR * length))
            if steps is not None:
                found.append((text, steps / length, length))
        return sorted(found, key=lambda item: item[1])


def sounds(text: str) -> str:
    """A rough likeness of how `text` sounds, without spaces: 'set a timer' → 'setotener'."""
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(sign))
    heard = "".join(sign for sign in bare if sign.isalnum() or sign in "#'")
    for pattern, sound in _SOUNDS:
        heard = pattern.sub(sound, heard)
    return heard


def _heard(skeleton: str) -> str:
    """Sounds of a skeleton; each slot is one sign that matches only itself."""
    parts = SLOT.split(skeleton)
    return "".join({"name": "1", "area": "2"}.get(part, "") if n % 2 else sounds(part) for n, part in enumerate(parts))


def _fill(skeleton: str, kind: str, name: str, numbers: list[str]) -> str | None:
    """The skeleton with what was taken out of the text; None if it asks for anything else."""
    if SLOT.findall(skeleton) != ([kind] if kind else []) or skeleton.count("#") != len(numbers):
        return None
    filled = skeleton.replace(f"{{{kind}}}", name) if kind else skeleton
    for number in numbers:
        filled = filled.replace("#", number, 1)
    return filled


def _number_words(language: str) -> Iterator[tuple[str, str]]:
    try:
        engine = get_rbnf_engine(language)
    except ValueError:
        return
    for number in range(101):
        for words in engine.format_number(number).text_by_ruleset.values():
            if not words[:1].isdigit():
                yield words.casefold(), str(number)
                yield words.casefold().replace("-", " "), str(number)


def _triples(heard: str) -> set[str]:
    padded = f"^{heard}$"
    return {padded[n : n + 3] for n in range(len(padded) - 2)}


def _edits(first: str, second: str, most: int) -> int | None:
    """Levenshtein distance, None if it is more than `most`."""
    if abs(len(first) - len(second)) > most:
        return None
    row = list(range(len(second) + 1))
    for number, sign in enumerate(first, 1):
        above, row[0] = row[0], number
        for place, other in enumerate(second, 1):
            above, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, above + (sign != other))
        if min(row) > most:
            return None
    return row[-1] if row[-1] <= most else None
