"""In: a question for the time or the date. Out: the answer."""

from __future__ import annotations

from appliance.actions.device import Hands
from appliance.actions.plan import Plan
from appliance.intents.interpretation import Interpretation


def tell_time(_: Interpretation, hands: Hands) -> Plan:
    """'It's 3:20 PM.'"""
    return Plan(hands.replies.say("time", time=hands.replies.time(hands.device.now())))


def tell_date(_: Interpretation, hands: Hands) -> Plan:
    """'Today is Saturday, November 21st.'"""
    return Plan(hands.replies.say("date", date=hands.replies.date(hands.device.now())))
