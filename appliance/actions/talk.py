"""In: what is said to the device about the talk itself. Out: silence, the last words again, help, small talk."""

from __future__ import annotations

from appliance.actions.device import Hands
from appliance.actions.plan import Plan
from appliance.events import Outcome
from appliance.intents.interpretation import Interpretation
from appliance.intents.replies import capital


def stop(_: Interpretation, hands: Hands) -> Plan:
    """Ends any ringing; says nothing, because being quiet is the answer."""

    async def act() -> Plan | None:
        hands.timers.silence()
        return None

    return Plan(hands.replies.say("stopped"), act=act, ends=True)


def never_mind(_: Interpretation, hands: Hands) -> Plan:
    """Nothing is done."""
    return Plan(hands.replies.say("never_mind"), ends=True)


def repeat(_: Interpretation, hands: Hands) -> Plan:
    """The last reply again."""
    return Plan(hands.device.last_reply() or hands.replies.say("repeat_nothing"))


def give_help(_: Interpretation, hands: Hands) -> Plan:
    """What can be said."""
    return Plan(hands.replies.say("help" if hands.home is None else "help_home"))


def respond(meaning: Interpretation, hands: Hands) -> Plan:
    """Greetings and questions about privacy."""
    topic = str(meaning.slots.get("topic", "hello"))
    return Plan(hands.replies.say(topic if topic in {"listening", "data", "creator"} else "hello"))


def mute(_: Interpretation, hands: Hands) -> Plan:
    """Closes the microphone after saying how it is opened again."""

    async def act() -> Plan | None:
        await hands.device.mute()
        return None

    return Plan(hands.replies.say("muted"), act=act, ends=True)


def ask_back(meaning: Interpretation, hands: Hands) -> Plan:
    """'The bed light or the standing light?'"""
    choices = list(meaning.question.choices) if meaning.question is not None else []
    return Plan(
        hands.replies.say("question", choices=capital(hands.replies.either(choices))), ask=True, question=meaning
    )


def unable(_: Interpretation, hands: Hands) -> Plan:
    """A sentence that means something only after another one was said alone."""
    return Plan(hands.replies.say("not_understood"), Outcome.NOT_UNDERSTOOD)
