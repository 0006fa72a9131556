"""In: a question for the time or the date. Out: the answer."""

from __future__ import annotations

import time
from datetime import datetime

from appliance.actions.device import SkillContext
from appliance.actions.plan import Plan
from appliance.intents.interpretation import Interpretation


def local_now() -> datetime:
    """Local time. Another time zone, or a corrected one, counts from this moment: libc reads it again only when asked."""
    time.tzset()
    return datetime.now().astimezone()


def tell_time(_: Interpretation, context: SkillContext) -> Plan:
    """'It's 3:20 PM.'"""
    return Plan(context.replies.say("time", time=context.replies.time(context.device.now())))


def tell_date(_: Interpretation, context: SkillContext) -> Plan:
    """'Today is Saturday, November 21st.'"""
    return Plan(context.replies.say("date", date=context.replies.date(context.device.now())))
