"""In: a wish about reminders. Out: what will be said and, after end of speech, the reminder kept, told or dropped."""

from __future__ import annotations

import re

from appliance.actions import moment
from appliance.actions.agenda import MOST_TEXT, REMINDER
from appliance.actions.alarm import cancel_entries, described, new_entry
from appliance.actions.device import SkillContext
from appliance.actions.plan import Plan
from appliance.intents.interpretation import Interpretation

_TURNED = {"my": "your", "me": "you", "i": "you", "mine": "yours", "myself": "yourself", "i'm": "you're", "am": "are"}
"""Who speaks changes when the device says it."""


def remind(meaning: Interpretation, context: SkillContext) -> Plan:
    """ "Remind me to call mom in ten minutes"."""
    text = " ".join(str(meaning.slots.get("text", "")).split())
    if len(text) > MOST_TEXT:
        return Plan(context.replies.say("too_long_text"))
    return new_entry(meaning, context, REMINDER, turned(text))


def status(meaning: Interpretation, context: SkillContext) -> Plan:
    """Every reminder with its time, or those of a day."""
    day = moment.said_day(meaning.slots, context.agenda.now().date())
    entries = [e for e in context.agenda.all(REMINDER) if day is None or e.moment().date() == day]
    if not entries:
        return Plan(context.replies.say("reminder_none"))
    listed = "; ".join(described(entry, context) for entry in entries)
    key = "reminder_one" if len(entries) == 1 else "reminder_list"
    return Plan(context.replies.say(key, count=len(entries), list=listed))


def cancel(meaning: Interpretation, context: SkillContext) -> Plan:
    """One reminder or all."""
    if "text" in meaning.slots:
        turned_text = turned(str(meaning.slots["text"]))
        meaning = Interpretation(meaning.intent, {**meaning.slots, "text": turned_text}, meaning.text, own=True)
    return cancel_entries(meaning, context, REMINDER)


def turned(text: str) -> str:
    """'call my mother' → 'call your mother'."""
    return re.sub(r"[\w']+", lambda word: _TURNED.get(word[0].casefold(), word[0]), text)
