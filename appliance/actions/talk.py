"""In: what is said to the device about the talk itself. Out: silence, the last words again, help, small talk."""

from __future__ import annotations

import re

from appliance.actions.device import SkillContext
from appliance.actions.plan import Plan
from appliance.events import Outcome
from appliance.intents.interpretation import Interpretation
from appliance.intents.replies import capital

TOPICS = frozenset(
    {"listening", "data", "creator", "thanks", "who", "no_matter", "goodbye"}
    | {"good_morning", "good_day", "good_evening", "good_night"}
)
"""What small talk there is an own answer for; the replies have the same names."""


def stop(_: Interpretation, context: SkillContext) -> Plan:
    """Ends any ringing; says nothing, because being quiet is the answer."""

    async def act() -> Plan | None:
        context.timers.silence()
        context.agenda.silence()
        return None

    return Plan(context.replies.say("stopped"), act=act, ends=True)


def never_mind(_: Interpretation, context: SkillContext) -> Plan:
    """Nothing is done."""
    return Plan(context.replies.say("never_mind"), ends=True)


def refuse(meaning: Interpretation, context: SkillContext) -> Plan:
    """Nothing is done, and why: the command was forbidden, asked about, tied to something or taken back."""
    return Plan(context.replies.say(f"refused_{meaning.slots['reason']}"), outcome=Outcome.REFUSED)


def repeat(_: Interpretation, context: SkillContext) -> Plan:
    """The last reply again."""
    return Plan(context.device.last_reply() or context.replies.say("repeat_nothing"))


def give_help(_: Interpretation, context: SkillContext) -> Plan:
    """What can be said."""
    return Plan(context.replies.say("help" if context.home is None else "help_home"))


def respond(meaning: Interpretation, context: SkillContext) -> Plan:
    """Greetings, thanks, and questions about the device itself."""
    topic = str(meaning.slots.get("topic", "hello"))
    return Plan(context.replies.say(topic if topic in TOPICS else "hello"))


def answer(meaning: Interpretation, context: SkillContext) -> Plan:
    """What the owner wrote for this intent, with what was said put in; without a slot that was not said."""
    text = re.sub(r"\{(\w+)\}", lambda slot: str(meaning.slots.get(slot[1], "")), context.answers[meaning.intent])
    return Plan(re.sub(r"\s+(?=[.,;:!?])", "", " ".join(text.split())))


def mute(_: Interpretation, context: SkillContext) -> Plan:
    """Closes the microphone after saying how it is opened again."""

    async def act() -> Plan | None:
        await context.device.mute()
        return None

    return Plan(context.replies.say("muted"), act=act, ends=True)


def ask_back(meaning: Interpretation, context: SkillContext) -> Plan:
    """'The bed light or the standing light?'"""
    choices = list(meaning.question.choices) if meaning.question is not None else []
    return Plan(
        context.replies.say("question", choices=capital(context.replies.either(choices))), ask=True, question=meaning
    )


def unable(_: Interpretation, context: SkillContext) -> Plan:
    """A sentence that means something only after another one was said alone."""
    return Plan(context.replies.say("not_understood"), Outcome.NOT_UNDERSTOOD)
