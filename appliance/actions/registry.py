"""In: an interpretation. Out: the plan of the skill that is responsible. A new skill is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable

from appliance.actions import (
    alarm,
    arithmetic,
    chance,
    clock,
    dates,
    home,
    lists,
    reminder,
    status,
    stopwatch,
    talk,
    timer,
    units,
    volume,
)
from appliance.actions.device import SkillContext
from appliance.actions.plan import Plan
from appliance.intents.interpretation import Interpretation

Skill = Callable[[Interpretation, SkillContext], Plan]

SKILLS: dict[str, Skill] = {
    "HassGetCurrentTime": clock.tell_time,
    "HassGetCurrentDate": clock.tell_date,
    "HassStartTimer": timer.start,
    "HassIncreaseTimer": timer.increase,
    "HassDecreaseTimer": timer.decrease,
    "HassPauseTimer": timer.pause,
    "HassUnpauseTimer": timer.resume,
    "HassCancelTimer": timer.cancel,
    "HassCancelAllTimers": timer.cancel_all,
    "HassTimerStatus": timer.status,
    "HassSetVolume": volume.set_volume,
    "HassSetVolumeRelative": volume.change_volume,
    "HassListAddItem": lists.add,
    "HassListCompleteItem": lists.remove,
    "HassListRemoveItem": lists.remove,
    "HassShoppingListAddItem": lists.add,
    "HassShoppingListCompleteItem": lists.remove,
    "ApplianceListAdd": lists.add,
    "ApplianceListRemove": lists.remove,
    "ApplianceListRead": lists.read,
    "ApplianceListClear": lists.clear,
    "ApplianceSetAlarm": alarm.set_alarm,
    "ApplianceChangeAlarm": alarm.change,
    "ApplianceCancelAlarm": alarm.cancel,
    "ApplianceAlarmStatus": alarm.status,
    "ApplianceSnooze": alarm.snooze,
    "ApplianceRemind": reminder.remind,
    "ApplianceReminderStatus": reminder.status,
    "ApplianceCancelReminder": reminder.cancel,
    "ApplianceStopwatch": stopwatch.use,
    "ApplianceDate": dates.tell,
    "ApplianceDaysUntil": dates.until,
    "ApplianceCalculate": arithmetic.calculate,
    "ApplianceConvert": units.convert,
    "ApplianceChance": chance.draw,
    "ApplianceVolumeStatus": volume.tell_volume,
    "HassNevermind": talk.never_mind,
    "HassRespond": talk.respond,
    "ApplianceStop": talk.stop,
    "ApplianceRepeat": talk.repeat,
    "ApplianceHelp": talk.give_help,
    "ApplianceMute": talk.mute,
    "ApplianceStatus": status.tell_status,
    "ApplianceFollowUp": talk.unable,
    "ApplianceWhen": talk.unable,
    "ApplianceYes": talk.unable,
    "ApplianceNo": talk.never_mind,
    "ApplianceRefusal": talk.refuse,
}
"""Intent → skill; every other intent is the home's."""


def plan(meaning: Interpretation, context: SkillContext) -> Plan:
    """What will be said and done. Quick (below a millisecond), touches nothing; a question back comes before all."""
    if meaning.question is not None:
        return talk.ask_back(meaning, context)
    if meaning.intent in context.answers:
        return talk.answer(meaning, context)
    return SKILLS.get(meaning.intent, home.hand_over)(meaning, context)
