"""The conversation's state machine: in which phase which signal leads where, and what has to be done on the way.

Pure: no clock, no task, no sound. `Conversation` feeds the signals and carries the effects out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Phase(StrEnum):
    """What the device is at. Exactly one of these holds at any time."""

    IDLE = "idle"
    LISTENING = "listening"
    """A turn is open and takes speech."""
    THINKING = "thinking"
    """Speech is over, or a sentence was given as text; no reply is heard yet."""
    SPEAKING = "speaking"
    """The reply, or an apology, is on the loudspeaker."""
    ANNOUNCING = "announcing"
    """Somebody's own text is on the loudspeaker."""
    RINGING = "ringing"
    """The alarm of a timer is on the loudspeaker."""


class Signal(StrEnum):
    """What can happen to the conversation."""

    OPEN = "open"
    """Somebody wants to be heard: wake word, button, follow-up, command line, MQTT."""
    COMMAND = "command"
    """A sentence is to be carried out as if it had been said (a timer's command)."""
    END_OF_SPEECH = "end_of_speech"
    REPLY = "reply"
    """The first piece of speech of the reply is there."""
    ANNOUNCE = "announce"
    RING = "ring"
    """A timer rings."""
    HUSH = "hush"
    """Silence what sounds; who is listened to goes on. The finger that touches the button."""
    STOP = "stop"
    """End whatever the device is at: the same for button, voice, MQTT and command line."""
    YIELD = "yield"
    """Stop listening only: another device answers, or the microphone was muted."""
    DONE = "done"
    """The turn, announcement or alarm under way has ended."""


class Effect(StrEnum):
    """What `Conversation` does about a signal."""

    BEGIN = "begin"
    """Start what the signal asks for."""
    CANCEL = "cancel"
    """End at once what is under way; `DONE` follows within milliseconds."""
    WAIT = "wait"
    """Keep the request until the device is idle."""
    SILENCE = "silence"
    """Timers that ring are silenced for good."""
    FORGET = "forget"
    """A turn that waits to be opened is dropped."""


@dataclass(frozen=True, slots=True)
class Transition:
    """Where a signal leads, and what is done on the way, in this order."""

    to: Phase
    effects: tuple[Effect, ...] = ()


_I, _L, _T, _S, _A, _R = Phase
_BEGIN, _CANCEL, _WAIT, _SILENCE, _FORGET = Effect


def _stays(phase: Phase, *effects: Effect) -> Transition:
    return Transition(phase, effects)


TABLE: Mapping[Phase, Mapping[Signal, Transition]] = MappingProxyType(
    {
        _I: {
            Signal.OPEN: Transition(_L, (_BEGIN,)),
            Signal.COMMAND: Transition(_T, (_BEGIN,)),
            Signal.END_OF_SPEECH: _stays(_I),
            Signal.REPLY: _stays(_I),
            Signal.ANNOUNCE: Transition(_A, (_BEGIN,)),
            Signal.RING: Transition(_R, (_BEGIN,)),
            Signal.HUSH: _stays(_I, _SILENCE),
            Signal.STOP: _stays(_I, _SILENCE, _FORGET),
            Signal.YIELD: _stays(_I),
            Signal.DONE: _stays(_I),
        },
        _L: {
            Signal.OPEN: _stays(_L),
            Signal.COMMAND: _stays(_L, _WAIT),
            Signal.END_OF_SPEECH: Transition(_T),
            Signal.REPLY: Transition(_S),
            Signal.ANNOUNCE: _stays(_L, _WAIT),
            Signal.RING: _stays(_L, _WAIT),
            Signal.HUSH: _stays(_L, _SILENCE),
            Signal.STOP: _stays(_L, _SILENCE, _FORGET, _CANCEL),
            Signal.YIELD: _stays(_L, _CANCEL),
            Signal.DONE: Transition(_I),
        },
        _T: {
            Signal.OPEN: _stays(_T, _CANCEL, _WAIT),
            Signal.COMMAND: _stays(_T, _WAIT),
            Signal.END_OF_SPEECH: _stays(_T),
            Signal.REPLY: Transition(_S),
            Signal.ANNOUNCE: _stays(_T, _WAIT),
            Signal.RING: _stays(_T, _WAIT),
            Signal.HUSH: _stays(_T, _SILENCE),
            Signal.STOP: _stays(_T, _SILENCE, _FORGET, _CANCEL),
            Signal.YIELD: _stays(_T),
            Signal.DONE: Transition(_I),
        },
        _S: {
            Signal.OPEN: _stays(_S, _CANCEL, _WAIT),
            Signal.COMMAND: _stays(_S, _WAIT),
            Signal.END_OF_SPEECH: _stays(_S),
            Signal.REPLY: _stays(_S),
            Signal.ANNOUNCE: _stays(_S, _WAIT),
            Signal.RING: _stays(_S, _WAIT),
            Signal.HUSH: _stays(_S, _SILENCE, _CANCEL),
            Signal.STOP: _stays(_S, _SILENCE, _FORGET, _CANCEL),
            Signal.YIELD: _stays(_S),
            Signal.DONE: Transition(_I),
        },
        _A: {
            Signal.OPEN: _stays(_A, _CANCEL, _WAIT),
            Signal.COMMAND: _stays(_A, _WAIT),
            Signal.END_OF_SPEECH: _stays(_A),
            Signal.REPLY: _stays(_A),
            Signal.ANNOUNCE: _stays(_A, _WAIT),
            Signal.RING: _stays(_A, _WAIT),
            Signal.HUSH: _stays(_A, _SILENCE, _CANCEL),
            Signal.STOP: _stays(_A, _SILENCE, _FORGET, _CANCEL),
            Signal.YIELD: _stays(_A),
            Signal.DONE: Transition(_I),
        },
        _R: {
            Signal.OPEN: _stays(_R, _CANCEL, _WAIT),
            Signal.COMMAND: _stays(_R, _CANCEL, _WAIT),
            Signal.END_OF_SPEECH: _stays(_R),
            Signal.REPLY: _stays(_R),
            Signal.ANNOUNCE: _stays(_R, _CANCEL, _WAIT),
            Signal.RING: _stays(_R),
            Signal.HUSH: _stays(_R, _SILENCE, _CANCEL),
            Signal.STOP: _stays(_R, _SILENCE, _FORGET, _CANCEL),
            Signal.YIELD: _stays(_R),
            Signal.DONE: Transition(_I),
        },
    }
)
"""Every signal in every phase. An alarm yields to everybody and rings on afterwards; an announcement yields to a person;
a turn yields to who speaks to the device while it thinks or speaks, and to nobody else."""


class Machine:
    """The phase, and the one way to change it."""

    def __init__(self) -> None:
        self.phase = Phase.IDLE

    def take(self, signal: Signal) -> tuple[Effect, ...]:
        """Goes where `signal` leads; what is to be done about it."""
        transition = TABLE[self.phase][signal]
        self.phase = transition.to
        return transition.effects
