"""In: a wish about the alarm clock. Out: what will be said and, after end of speech, the alarm set, moved or ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from appliance.actions import moment
from appliance.actions.agenda import ALARM, Agenda, Entry
from appliance.actions.device import SkillContext
from appliance.actions.plan import Plan
from appliance.intents.followup import ALL
from appliance.intents.interpretation import Interpretation, Question

SNOOZE_S = 540.0
"""Nine minutes, as alarm clocks do."""
LONGEST_S = 30 * 86400.0


def set_alarm(meaning: Interpretation, context: SkillContext) -> Plan:
    """ "Wake me at seven", "in twenty minutes", "every weekday at half past six"."""
    return new_entry(meaning, context, ALARM, "")


def change(meaning: Interpretation, context: SkillContext) -> Plan:
    """The one alarm there is, at another time."""
    alarms = context.agenda.all(ALARM)
    if len(alarms) == 1:
        return new_entry(meaning, context, ALARM, "", instead=alarms[0])
    return _which(meaning, alarms, context) if alarms else Plan(context.replies.say("alarm_none"))


def cancel(meaning: Interpretation, context: SkillContext) -> Plan:
    """One alarm, the ringing one first, or all."""
    return cancel_entries(meaning, context, ALARM)


def status(_: Interpretation, context: SkillContext) -> Plan:
    """Every alarm with its time."""
    alarms = context.agenda.all(ALARM)
    if not alarms:
        return Plan(context.replies.say("alarm_none"))
    listed = context.replies.join([described(alarm, context) for alarm in alarms])
    return Plan(context.replies.say("alarm_one" if len(alarms) == 1 else "alarm_list", count=len(alarms), list=listed))


def snooze(meaning: Interpretation, context: SkillContext) -> Plan:
    """What rings now rings again later."""
    seconds = moment.length_s(meaning.slots) or SNOOZE_S
    if not context.agenda.ringing():
        return Plan(context.replies.say("alarm_not_ringing"))

    async def act() -> Plan | None:
        context.agenda.snooze(seconds)
        return None

    return Plan(context.replies.say("alarm_snoozed", duration=context.replies.exactly(seconds)), act=act, ends=True)


# -- shared with reminders --------------------------------------------------------------------------------------------


def new_entry(
    meaning: Interpretation, context: SkillContext, kind: str, text: str, instead: Entry | None = None
) -> Plan:
    """An alarm or a reminder for the time in `meaning`, or the question for the time, or why it cannot be."""
    agenda, say = context.agenda, context.replies.say
    if agenda.full and instead is None:
        return Plan(say("agenda_full"))
    seconds = moment.length_s(meaning.slots)
    when = moment.clock_time(meaning.slots, agenda.now())
    if seconds is not None:
        if not 0 < seconds <= LONGEST_S:
            return Plan(say("agenda_too_far"))
        what = say(f"{kind}_in", duration=context.replies.exactly(seconds), text=text)
        return Plan(what, act=_making(agenda, lambda: agenda.after(kind, seconds, text), instead, context))
    if when is None:
        asked = Interpretation(meaning.intent, meaning.slots, meaning.text, own=True, question=Question("when", ()))
        return Plan(say("agenda_when"), ask=True, question=asked)
    due = when.next_after(agenda.now())
    if due <= agenda.now():
        return Plan(say("agenda_passed", when=spoken(due, when.days, context)))
    due = datetime.fromtimestamp(due.timestamp())
    what = say(f"{kind}_set", when=spoken(due, when.days, context), text=text)
    return Plan(what, act=_making(agenda, lambda: agenda.at(kind, when, text), instead, context))


def cancel_entries(meaning: Interpretation, context: SkillContext, kind: str) -> Plan:
    """Cancels the entry that is meant, or all; asks where several may be."""
    entries = context.agenda.all(kind)
    if not entries:
        return Plan(context.replies.say(f"{kind}_none"))
    fitting = _fitting(meaning, entries, context)
    if not fitting:
        return Plan(context.replies.say(f"{kind}_unknown"))
    ringing = [entry for entry in fitting if entry.ringing]
    if len(fitting) > 1 and meaning.slots.get("which") != ALL:
        if len(ringing) != 1:
            return _which(meaning, fitting, context)
        fitting = tuple(ringing)

    async def act() -> Plan | None:
        for entry in fitting:
            if any(entry.id == one.id for one in context.agenda.all(kind)):
                context.agenda.cancel(entry.id)
        return None

    if len(fitting) == 1:
        return Plan(context.replies.say(f"{kind}_cancelled", what=described(fitting[0], context)), act=act)
    return Plan(context.replies.say(f"{kind}s_cancelled", count=len(fitting)), act=act)


def described(entry: Entry, context: SkillContext) -> str:
    """'tomorrow at 7 AM', 'every weekday at 6:30 AM'; a reminder with its text."""
    when = spoken(entry.moment(), entry.days, context)
    return context.replies.say("reminder_item", text=entry.text, when=when) if entry.text else when


def spoken(due: datetime, days: tuple[int, ...], context: SkillContext) -> str:
    """When that is, as people say it."""
    return context.replies.moment(due, context.agenda.now(), days)


def _making(
    agenda: Agenda, make: Callable[[], Entry], instead: Entry | None, context: SkillContext
) -> Callable[[], Awaitable[Plan | None]]:
    async def act() -> Plan | None:
        if instead is not None and any(instead.id == one.id for one in agenda.all(instead.kind)):
            agenda.cancel(instead.id)
        try:
            make()
        except ValueError:  # it filled up, or the moment passed, between plan and act
            return Plan(context.replies.say("agenda_full" if agenda.full else "agenda_passed", when=""))
        return None

    return act


def _fitting(meaning: Interpretation, entries: tuple[Entry, ...], context: SkillContext) -> tuple[Entry, ...]:
    """Entries with the id, text, time or day that was said; all where nothing was."""
    slots = meaning.slots
    if "entry" in slots:
        return tuple(entry for entry in entries if entry.id == slots["entry"])
    if "text" in slots:
        wanted = str(slots["text"]).casefold()
        return tuple(entry for entry in entries if wanted in entry.text.casefold())
    if "hour" in slots or "clock" in slots:
        asked = moment.clock_time(slots, context.agenda.now())
        assert asked is not None
        open_half = "half" not in slots and "clock" not in slots and int(slots.get("hour", 0)) <= 12
        return tuple(
            entry
            for entry in entries
            if entry.moment().minute == asked.at.minute
            and (entry.moment().hour == asked.at.hour or (open_half and entry.moment().hour % 12 == asked.at.hour % 12))
            and (asked.on is None or entry.moment().date() == asked.on)
        )
    day = moment.said_day(slots, context.agenda.now().date())
    return tuple(entry for entry in entries if day is None or entry.moment().date() == day)


def _which(meaning: Interpretation, entries: tuple[Entry, ...], context: SkillContext) -> Plan:
    """'Which one: tomorrow at 7 AM or at 8 AM?' and what each answer would mean."""
    titles = tuple(described(entry, context) for entry in entries)
    readings = [
        Interpretation(meaning.intent, {**meaning.slots, "entry": entry.id}, meaning.text, own=True)
        for entry in entries
    ]
    first = readings[0]
    asked = Interpretation(
        first.intent, first.slots, first.text, own=True, alternatives=tuple(readings[1:]),
        question=Question("intent", titles),
    )  # fmt: skip
    return Plan(context.replies.say("which", list=context.replies.either(list(titles))), ask=True, question=asked)
