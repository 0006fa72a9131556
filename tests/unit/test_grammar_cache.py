"""Grammars on the shelf: what they hold together is bounded, and the one in use keeps what was made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.engines.stt import grammar_cache as shelf
from appliance.engines.stt.grammar_cache import GrammarCache
from appliance.engines.stt.pieces import PieceStates, Vocabulary
from appliance.grammar.source import GrammarSource
from appliance.wire.stt import Transcribe

PIECES = ["<blk>", *(f"\u2581{letter}" for letter in "abcdefgh"), *"abcdefgh"]


def request(folder: Path, word: str) -> Transcribe:
    texts = [
        f"{word} {first} {second}" for first in ("bad", "cab", "dad", "fed") for second in ("head", "bead", "cage")
    ]
    intents = {"Do": {"data": [{"sentences": texts}]}}
    source = GrammarSource("en", {"language": "en", "intents": intents})
    return Transcribe(grammar=str(source.write(folder)))


def walked(kept: GrammarCache, asked: Transcribe) -> PieceStates:
    """The grammar of `asked`, all its states made, as many utterances would."""
    wanted = kept.want(asked)
    assert wanted is not None
    wanted.result(20)
    states = kept.get(asked)
    assert states is not None
    waiting, seen = [0], {0}
    while waiting:
        new = set(states.reached(waiting.pop())) - seen
        waiting += new
        seen |= new
    return states


def test_states_of_all_grammars_are_bounded_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, asked = GrammarCache(Vocabulary(PIECES)), [request(tmp_path, word) for word in ("add", "bag", "egg")]
    whole = [walked(kept, each) for each in asked]
    counts = [len(each) for each in whole]
    monkeypatch.setattr(shelf, "FEW_STATES", 1)
    monkeypatch.setattr(shelf, "MOST_STATES", counts[2] + counts[1])
    kept.trim()
    assert [len(each) for each in whole] == [1, counts[1], counts[2]]
    assert whole[0].walker.accepts("add bad head"), "it can be walked again"
    assert kept.get(asked[0]) is whole[0]
    kept.trim()
    assert [len(each) for each in whole] == [1, 1, counts[2]], "the one in use, then the one before it"


def test_few_states_are_not_worth_making_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = GrammarCache(Vocabulary(PIECES))
    states = walked(kept, request(tmp_path, "add"))
    monkeypatch.setattr(shelf, "MOST_STATES", 0)
    monkeypatch.setattr(shelf, "FEW_STATES", len(states))
    count = len(states)
    kept.trim()
    assert len(states) == count
