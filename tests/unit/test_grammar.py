"""The grammar accepts what hassil recognises, writes it as its templates do, and stays small with thousands of names."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hassil.expression import Expression, Group, TextChunk
from hassil.intents import Intents
from hassil.parse_expression import parse_sentence
from hassil.recognize import recognize
from hassil.sample import sample_intents

from appliance.errors import GrammarError
from appliance.grammar.automaton.determinize import Walker
from appliance.grammar.automaton.shared_subtrees import Shared
from appliance.grammar.automaton.word_network import word_network
from appliance.grammar.compile import compile_grammar
from appliance.grammar.lexicon.spoken import letters, number_words, ways
from appliance.grammar.source import GrammarSource

SENTENCES: dict[str, Any] = {
    "language": "en",
    "skip_words": ["please"],
    "expansion_rules": {"the": "(the|my)", "turn": "(turn|switch)"},
    "intents": {
        "On": {
            "data": [
                {"sentences": ["<turn> on [<the>] {name}"], "requires_context": {"domain": ["light"]}},
                {"sentences": ["<turn> (on;[all] light[s])"]},
            ]
        },
        "Timer": {"data": [{"sentences": ["set [a] timer for {minutes}( |-)minute[s]", "what's the time[r]"]}]},
        "Level": {"data": [{"sentences": ["set {name} to {percent}[%| percent]"]}]},
        "Play": {"data": [{"sentences": ["play {song} [on {name}]"]}]},
    },
    "lists": {
        "name": {
            "values": [
                {"in": "Bed Light", "out": "Bed Light", "context": {"domain": "light"}},
                {"in": "TV", "out": "TV", "context": {"domain": "media_player"}},
                {"in": "Lamp 2", "out": "Lamp 2", "context": {"domain": "light"}},
            ]
        },
        "minutes": {"range": {"from": 1, "to": 60}},
        "percent": {"range": {"from": 0, "to": 100, "step": 5}},
        "song": {"wildcard": True},
    },
}


def walker(sentences: dict[str, Any] = SENTENCES) -> Walker:
    return Walker(compile_grammar(GrammarSource("en", sentences)).graph)


def said(walker: Walker, text: str) -> float | None:
    """Letters walked through the determinised states, as the search does."""
    state = 0
    for letter in f" {text}":
        step = walker.step(state, letter)
        if step is None:
            return None
        state = step.state
    return walker.final(state)


def test_samples_of_hassil_are_accepted_and_written_so_that_hassil_takes_them() -> None:
    intents = Intents.from_dict(SENTENCES)
    samples = sorted({text for _, text in sample_intents(intents, language="en") if "{" not in text})
    known = walker()
    checked = 0
    for text in random.Random(3).sample(samples, 150):
        if recognize(text, intents, language="en") is None:  # sampling knows no context
            continue
        checked += 1
        for way in ways(text, "en"):
            assert said(known, way) is not None, text
            written = known.write(way)
            assert written is not None and recognize(written, intents, language="en") is not None, (text, written)
    assert checked > 80


@pytest.mark.parametrize(
    "text",
    [
        "turn on",
        "turn on the",
        "turn on tv",
        "turn on bed",
        "set timer for sixty one minutes",
        "turnon bed light",
        "set",
    ],
)
def test_near_misses_are_refused(text: str) -> None:
    assert said(walker(), text) is None
    assert walker().write(text) is None


def test_polite_words_stand_around_a_command_only() -> None:
    known = walker()
    assert said(known, "please turn on my bed light") is not None
    assert said(known, "turn on my bed light please") is not None
    assert said(known, "turn please on my bed light") is None


def test_figures_abbreviations_and_apostrophes_are_written_as_in_the_template() -> None:
    known = walker()
    assert known.write("turn on lamp two") == "turn on Lamp 2"
    assert known.write("set t v to fifty five percent") in ("set TV to 55 percent", "set TV to 55 %", "set TV to 55%")
    assert known.write("whats the time") == "what's the time"
    assert known.write("set timer for twenty one minutes") == "set timer for 21 minutes"


def test_a_free_text_slot_takes_any_words_and_is_kept_apart() -> None:
    known = walker()
    assert known.write("play some thing odd on tv") == "play some thing odd on TV"
    state = 0
    for letter in " play":
        step = known.step(state, letter)
        assert step is not None
        state = step.state
    entry = known.wild_entry(state)
    assert entry is not None and known.is_wild(entry.state) and known.final(entry.state) is not None


LATER: dict[str, Any] = {
    **SENTENCES,
    "intents": {
        **SENTENCES["intents"],
        "Later": {
            "data": [
                {"sentences": ["{command:conversation_command} in {minutes} minute[s]"]},
                {"sentences": ["in {minutes} minute[s] {command:conversation_command}"]},
            ]
        },
    },
    "lists": {**SENTENCES["lists"], "command": {"wildcard": True}},
}


@pytest.mark.parametrize(
    "text",
    ["turn on bed light in five minutes", "in five minutes turn on bed light", "whats the time in one minute please"],
)
def test_a_command_put_off_is_a_sentence_of_the_grammar(text: str) -> None:
    known = walker(LATER)
    assert said(known, text) is not None
    written = known.write(text)
    intents = Intents.from_dict(LATER)
    found = written and recognize(written, intents, language="en")
    assert found and found.intent.name == "Later"


@pytest.mark.parametrize("text", ["in five minutes", "in five minutes turn on bed", "turn on bed in five minutes"])
def test_only_a_command_can_be_put_off(text: str) -> None:
    assert said(walker(LATER), text) is None
    assert walker(LATER).write(text) is None


def test_a_command_is_no_less_whole_because_it_can_be_put_off() -> None:
    known = walker(LATER)
    at = 0
    for letter in " set timer for five minutes":
        step = known.step(at, letter)
        assert step is not None
        at = step.state
    assert known.final(at) is not None and not known.extendable(at) and known.slots_ahead(at) == 0


def test_what_may_follow_is_known() -> None:
    known = walker()

    def state(text: str) -> int:
        at = 0
        for letter in f" {text}":
            step = known.step(at, letter)
            assert step is not None
            at = step.state
        return at

    assert not known.extendable(state("set timer for five minutes"))
    assert known.extendable(state("what s the time".replace(" s ", "s ")))
    assert known.final(state("set timer")) is None


@pytest.mark.parametrize(
    ("text", "ahead"),
    [
        ("bring tea", 2),
        ("bring a large tea", 2),
        ("bring tea with milk", 1),
        ("bring tea with milk and sugar", 0),
        ("bring tea with milk and sugar please", 0),
        ("bring tea with milk to bob", 2),
    ],
)
def test_slots_that_may_still_follow_are_counted(text: str, ahead: int) -> None:
    sentences = ["bring [a] [{size}] {drink} [with {extra} [and {extra}]]", "bring {drink} with {extra} to {name}"]
    lists = {
        "size": {"values": ["large", "small"]},
        "drink": {"values": ["tea", "teas"]},
        "extra": {"values": ["milk", "sugar"]},
        "name": {"wildcard": True},
    }
    known = walker(
        {"intents": {"Bring": {"data": [{"sentences": sentences}]}}, "lists": lists, "skip_words": ["please"]}
    )
    at = 0
    for letter in f" {text}":
        if (step := known.step(at, letter)) is None:
            step = known.wild_entry(at)
            assert step is not None
            break
        at = step.state
    assert known.slots_ahead(step.state) == ahead


def test_answers_to_a_question_are_added() -> None:
    source = GrammarSource("en", SENTENCES)
    known = Walker(compile_grammar(source, ("the bedroom", "yes")).graph)
    assert known.write("the bedroom") == "the bedroom" and said(known, "yes") is not None
    assert walker().write("yes") is None


def test_what_cannot_be_said_is_dropped_and_the_rest_stays() -> None:
    sentences = {
        **SENTENCES,
        "intents": {
            "Bad": {"data": [{"sentences": ["go to {nowhere}", "open (the", "do <unknown>", "good one"]}]},
        },
    }
    compiled = compile_grammar(GrammarSource("en", sentences))
    assert compiled.sentences == 1 and len(compiled.dropped) == 3
    with pytest.raises(GrammarError):
        compile_grammar(GrammarSource("en", {"intents": []}))


def test_five_thousand_names_are_one_trie() -> None:
    values = [{"in": f"lamp {number} of hall {number % 7}", "out": "x"} for number in range(5000)]
    few = compile_grammar(GrammarSource("en", SENTENCES))
    many = compile_grammar(
        GrammarSource("en", {**SENTENCES, "lists": {**SENTENCES["lists"], "name": {"values": values}}})
    )
    assert len(many.graph) <= len(few.graph)
    assert Walker(many.graph).write("set lamp four thousand two of hall five to ten percent") is not None


def test_equal_parts_of_templates_are_kept_once_and_say_the_same() -> None:
    texts = ["turn on [the|my] {name:lamp}", "turn off [the|my] {name:lamp}", "(a;b) [the|my] {name}", "<x> [the|all]"]
    shared = Shared()
    first, second, third, fourth = (shared.of(parse_sentence(text).expression) for text in texts)
    plain = [parse_sentence(text).expression for text in texts]
    assert [str(_without_parents(each)) for each in (first, second, third, fourth)] == [
        str(_without_parents(each)) for each in plain
    ]
    assert all(isinstance(each, Group) for each in (first, second, third, fourth))
    assert first.items[2] is second.items[2] and first.items[-1] is second.items[-1]  # type: ignore[attr-defined]
    assert third.items[-1] is not first.items[-1], "another slot"  # type: ignore[attr-defined]


def _without_parents(expression: Expression) -> Expression:
    if isinstance(expression, TextChunk):
        expression.parent = None
    for item in expression.items if isinstance(expression, Group) else ():
        _without_parents(item)
    return expression


def test_what_is_written_does_not_hang_on_what_was_written_before() -> None:
    sentences = {
        **SENTENCES,
        "intents": {"Ask": {"data": [{"sentences": ["(what's|whats|what is) {name}['s] (state|name)", "{song} it"]}]}},
    }
    texts = [
        "whats bed light",
        "whats bed lights state",
        "what is t v name",
        "what is lamp two st",
        "let it be it",
        "wh",
    ]
    one = walker(sentences)
    for text in [whole[:end].rstrip() for whole in texts for end in range(len(whole), 0, -1)]:
        for complete in (True, False):
            assert one.write(text, whole=complete) == walker(sentences).write(text, whole=complete)
    assert one.write("whats bed lights state") == "whats Bed Light's state"
    assert one.write("what is lamp two st", whole=False) == "what is Lamp 2 st"
    assert one.write("let it be it") == "let it be it"


def test_spoken_forms() -> None:
    assert letters("What's  the TV-time?") == "whats the tv time"
    assert set(number_words(105, "en")) >= {"one hundred five", "one hundred and five"}
    assert ways("EcoBee 3", "en") == ("ecobee three", "eco bee three")
    assert ways("电视", "en") == ("电视",) and ways("—", "en") == ()


def test_word_network_holds_whole_sentences_of_known_words() -> None:
    known = {word: word for word in ["turn", "on", "the", "my", "bed", "light", "all", "lights", "switch"]}
    network = word_network(walker(), known)
    assert network.whole and {arc.word for arc in network.arcs} - {""} == set(known)
    from_start = {arc.word for arc in network.arcs if arc.source == network.start}
    assert from_start == {"turn", "switch"}
