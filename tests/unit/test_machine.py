"""The transition table, cell by cell: every signal in every phase, and what must hold for all of it."""

from __future__ import annotations

import pytest

from appliance.conversation.machine import TABLE, Effect, Machine, Phase, Signal

SIGNALS = ("open", "command", "end_of_speech", "reply", "announce", "ring", "hush", "stop", "yield", "done")
EXPECTED = {
    #            open            command         eos    reply announce        ring            hush  stop    yield done
    "idle":      "listening+b    thinking+b      idle   idle  announcing+b    ringing+b       .+s   .+sf    .     idle",
    "listening": ".              .+w             think  speak .+w             .+w             .+s   .+sfc   .+c   idle",
    "thinking":  ".+cw           .+w             .      speak .+w             .+w             .+s   .+sfc   .     idle",
    "speaking":  ".+cw           .+w             .      .     .+w             .+w             .+sc  .+sfc   .     idle",
    "announcing": ".+cw          .+w             .      .     .+w             .+w             .+sc  .+sfc   .     idle",
    "ringing":   ".+cw           .+cw            .      .     .+cw            .               .+sc  .+sfc   .     idle",
}  # fmt: skip
"""Where to (a dot: nowhere) and the effects: begin, cancel, wait, silence, forget."""
SHORT = {"think": "thinking", "speak": "speaking"}
LETTERS = {effect.value[0]: effect for effect in Effect}

CELLS = [
    (Phase(phase), Signal(signal), cell)
    for phase, row in EXPECTED.items()
    for signal, cell in zip(SIGNALS, row.split(), strict=True)
]


@pytest.mark.parametrize(("phase", "signal", "cell"), CELLS)
def test_every_signal_in_every_phase(phase: Phase, signal: Signal, cell: str) -> None:
    to, _, effects = cell.partition("+")
    machine = Machine()
    machine.phase = phase
    assert machine.take(signal) == tuple(LETTERS[letter] for letter in effects)
    assert machine.phase == (phase if to == "." else Phase(SHORT.get(to, to)))


def test_the_table_is_whole() -> None:
    assert len(CELLS) == len(Phase) * len(Signal)
    assert set(TABLE) == set(Phase) and all(set(row) == set(Signal) for row in TABLE.values())


def test_it_begins_idle() -> None:
    assert Machine().phase is Phase.IDLE


def test_something_begins_only_where_nothing_is_under_way() -> None:
    for phase, row in TABLE.items():
        for transition in row.values():
            assert (Effect.BEGIN in transition.effects) == (phase is Phase.IDLE and transition.to is not Phase.IDLE)


def test_stop_ends_everything_everywhere() -> None:
    for phase, row in TABLE.items():
        assert (Effect.CANCEL in row[Signal.STOP].effects) == (phase is not Phase.IDLE)
        assert {Effect.SILENCE, Effect.FORGET} <= set(row[Signal.STOP].effects)


def test_nothing_that_was_asked_for_is_lost() -> None:
    """A request begins, waits, or is what the device is at already."""
    for phase, row in TABLE.items():
        for signal in (Signal.OPEN, Signal.COMMAND, Signal.ANNOUNCE, Signal.RING):
            taken = {Effect.BEGIN, Effect.WAIT} & set(row[signal].effects)
            same = (phase, signal) in ((Phase.LISTENING, Signal.OPEN), (Phase.RINGING, Signal.RING))
            assert bool(taken) != same, (phase, signal)
