"""In: a wish about timers. Out: what will be said and, after end of speech, the timer started, changed or ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from appliance.actions.alarm import snooze
from appliance.actions.device import SkillContext
from appliance.actions.plan import Plan
from appliance.actions.timers import LONGEST_S, MOST_TIMERS, Timer
from appliance.events import Outcome
from appliance.intents.followup import ALL
from appliance.intents.interpretation import Interpretation, Question
from appliance.intents.replies import capital
from appliance.intents.source import LOCAL_INTENTS

_UNITS_S = {"hours": 3600, "minutes": 60, "seconds": 1}
_ARTICLES = {"the", "my", "a", "an", "der", "den", "die", "das", "mein", "meinen"}


def start(meaning: Interpretation, context: SkillContext) -> Plan:
    """A new timer, with a name or a command where one was said."""
    seconds, name = _seconds(meaning, ""), _name(meaning)
    command = meaning.slots.get("conversation_command")
    if meaning.puts_off is not None and meaning.puts_off not in LOCAL_INTENTS and context.home is None:
        return Plan(context.replies.say("no_home_server"), Outcome.NO_HOME_SERVER)
    if seconds <= 0 and "days_ahead" not in meaning.slots:
        asked = replace(meaning.bare(), own=True, question=Question("when", ()))
        return Plan(context.replies.say("timer_no_time"), ask=True, question=asked)
    if seconds > LONGEST_S or "days_ahead" in meaning.slots:
        return Plan(context.replies.say("timer_too_long"))
    if len(context.timers.all()) >= MOST_TIMERS:
        return Plan(context.replies.say("timer_too_many"))

    async def act() -> Plan | None:
        context.timers.start(seconds, name, None if command is None else str(command))
        return None

    key = "timer_command" if command is not None else "timer_started" if name is None else "timer_started_named"
    return Plan(capital(context.replies.say(key, name=name, duration=context.replies.exactly(seconds))), act=act)


def increase(meaning: Interpretation, context: SkillContext) -> Plan:
    """More time for a timer; "five more minutes" to an alarm that rings is more sleep."""
    if not context.timers.all() and context.agenda.ringing():
        return snooze(meaning, context)
    return _change(meaning, context, 1)


def decrease(meaning: Interpretation, context: SkillContext) -> Plan:
    """Less time for a timer."""
    return _change(meaning, context, -1)


def pause(meaning: Interpretation, context: SkillContext) -> Plan:
    """Stops a timer's count."""
    return _on_one(meaning, context, [t for t in context.timers.all() if t.due_s is not None], _pause)


def resume(meaning: Interpretation, context: SkillContext) -> Plan:
    """Lets a paused timer run on."""
    return _on_one(meaning, context, [t for t in context.timers.all() if t.paused], _resume)


def cancel(meaning: Interpretation, context: SkillContext) -> Plan:
    """Ends one timer."""
    return _on_one(meaning, context, list(context.timers.all()), _cancel)


def cancel_all(_: Interpretation, context: SkillContext) -> Plan:
    """Ends them all."""
    if not context.timers.all():
        return Plan(context.replies.say("timer_none"))

    async def act() -> Plan | None:
        for timer in context.timers.all():
            context.timers.cancel(timer.id)
        return None

    return Plan(context.replies.say("timers_cancelled"), act=act)


def status(meaning: Interpretation, context: SkillContext) -> Plan:
    """What is left of one timer or of all."""
    timers = list(context.timers.all())
    if not timers:
        return Plan(context.replies.say("timer_none"))
    fitting = _fitting(meaning, timers)
    if not fitting:
        return Plan(context.replies.say("timer_unknown"))
    if len(fitting) == 1:
        return Plan(capital(_left(fitting[0], context, named=len(timers) > 1)))
    items = [
        context.replies.say("timer_item", name=_title(t, context), duration=_duration(t, context)) for t in fitting
    ]
    return Plan(context.replies.say("timers_left", count=len(items), list=capital("; ".join(items))))


def _change(meaning: Interpretation, context: SkillContext, sign: int) -> Plan:
    seconds = sign * _seconds(meaning, "")

    def plan(timer: Timer, context: SkillContext) -> Plan:
        left_s = context.timers.remaining_s(timer) + seconds
        if left_s > LONGEST_S:
            return Plan(context.replies.say("timer_too_long"))
        if left_s <= 0:
            return Plan(context.replies.say("timer_zero"))
        reply = context.replies.say("timer_changed", duration=context.replies.duration(left_s))
        return Plan(reply, act=_once(context, timer, lambda: context.timers.add(timer.id, seconds)))

    return _on_one(meaning, context, list(context.timers.all()), plan)


def _pause(timer: Timer, context: SkillContext) -> Plan:
    act = _once(context, timer, lambda: context.timers.pause(timer.id))
    return Plan(context.replies.say("timer_paused"), act=act)


def _resume(timer: Timer, context: SkillContext) -> Plan:
    act = _once(context, timer, lambda: context.timers.resume(timer.id))
    return Plan(context.replies.say("timer_resumed", duration=_duration(timer, context)), act=act)


def _cancel(timer: Timer, context: SkillContext) -> Plan:
    key = "timer_cancelled" if timer.name is None else "timer_cancelled_named"
    act = _once(context, timer, lambda: context.timers.cancel(timer.id))
    return Plan(capital(context.replies.say(key, name=timer.name)), act=act)


def _once(context: SkillContext, timer: Timer, do: Callable[[], object]) -> Callable[[], Awaitable[Plan | None]]:
    """Does it, unless the timer is gone by then (it rang and was silenced between plan and act)."""

    async def act() -> Plan | None:
        try:
            do()
        except (KeyError, ValueError):
            return Plan(context.replies.say("timer_unknown"))
        return None

    return act


def _on_one(
    meaning: Interpretation, context: SkillContext, timers: list[Timer], plan: Callable[[Timer, SkillContext], Plan]
) -> Plan:
    """The plan for the one timer that is meant, or the question which."""
    if not timers:
        return Plan(context.replies.say("timer_none"))
    fitting = _fitting(meaning, timers)
    if not fitting:
        return Plan(context.replies.say("timer_unknown"))
    ringing = [timer for timer in fitting if timer.ringing]
    if len(fitting) > 1 and meaning.slots.get("which") == ALL:
        return _together([plan(timer, context) for timer in fitting])
    if len(fitting) > 1 and len(ringing) != 1:
        return _which(meaning, fitting, context)
    return plan((ringing or fitting)[0], context)


def _together(plans: list[Plan]) -> Plan:
    """Several timers, one after the other; what is the same for all is said once."""
    acts = [plan.act for plan in plans if plan.act is not None]

    async def act() -> Plan | None:
        for each in acts:
            await each()
        return None

    return Plan(" ".join(dict.fromkeys(plan.reply for plan in plans)), act=act)


def _which(meaning: Interpretation, timers: list[Timer], context: SkillContext) -> Plan:
    """'The pizza timer or the 10 minute timer?' and what each answer would mean."""
    titles = _titles(timers, context)
    first, *others = (replace(meaning.bare(), slots={**meaning.slots, "timer": timer.id}) for timer in timers)
    asked = replace(first, alternatives=tuple(others), question=Question("intent", titles))
    reply = context.replies.say("timer_which", list=capital(context.replies.either(list(titles))))
    return Plan(reply, ask=True, question=asked)


def _titles(timers: list[Timer], context: SkillContext) -> tuple[str, ...]:
    """How each is asked for; those of one name or length by their place and what is left of them."""
    titles = [_title(timer, context) for timer in timers]
    if len(set(titles)) == len(titles):
        return tuple(titles)
    say = context.replies.say
    return tuple(
        title
        if titles.count(title) == 1
        else say("timer_nth", nth=context.replies.nth(number), duration=_duration(timer, context))
        for number, (title, timer) in enumerate(zip(titles, timers, strict=True), 1)
    )


def _fitting(meaning: Interpretation, timers: list[Timer]) -> list[Timer]:
    """Those with the name or the length that was said, or the one that was chosen; all if none was."""
    if "timer" in meaning.slots:
        return [timer for timer in timers if timer.id == meaning.slots["timer"]]
    name, length_s = _name(meaning), _seconds(meaning, "start_")
    if name is not None:
        wanted = name.casefold()
        return [timer for timer in timers if (timer.name or "").casefold() == wanted]
    if length_s:
        return [timer for timer in timers if timer.started_s == length_s]
    return timers


def _seconds(meaning: Interpretation, prefix: str) -> float:
    return sum(float(meaning.slots.get(prefix + unit, 0)) * factor for unit, factor in _UNITS_S.items())


def _name(meaning: Interpretation) -> str | None:
    """The spoken name without an article that an open slot may have caught."""
    words = str(meaning.slots.get("name", "")).split()
    while len(words) > 1 and words[0].casefold() in _ARTICLES:
        words = words[1:]
    return " ".join(words) or None


def _left(timer: Timer, context: SkillContext, named: bool) -> str:
    say, duration = context.replies.say, _duration(timer, context)
    title = _title(timer, context)
    if timer.ringing:
        return say("timer_ringing", name=title)
    if timer.paused:
        return say("timer_paused_left", name=title, duration=duration)
    if named or timer.name is not None:
        return say("timer_left_named", name=title, duration=duration)
    return say("timer_left_one" if duration.startswith("1 ") else "timer_left", duration=duration)


def _title(timer: Timer, context: SkillContext) -> str:
    """'the pizza timer', 'the 10 minute timer'."""
    if timer.name is not None:
        return context.replies.say("timer_of_name", name=timer.name)
    return context.replies.say("timer_of", length=context.replies.length(timer.started_s))


def _duration(timer: Timer, context: SkillContext) -> str:
    return context.replies.duration(context.timers.remaining_s(timer))
