"""In: a command for the home. Out: the home server's reply, or the sentence that none is connected."""

from __future__ import annotations

from appliance.actions.device import HomeHandler, SkillContext
from appliance.actions.plan import Plan
from appliance.errors import ActionError
from appliance.events import Outcome
from appliance.intents.interpretation import Interpretation


def hand_over(meaning: Interpretation, context: SkillContext) -> Plan:
    """Gives the command to the home server; its reply is known only after `act`."""
    home = context.home
    if home is None:
        return Plan(context.replies.say("no_home_server"), Outcome.NO_HOME_SERVER)
    return Plan("", Outcome.HANDED_OVER, act=lambda: _handle(home, meaning.bare(), context))


async def _handle(home: HomeHandler, meaning: Interpretation, context: SkillContext) -> Plan:
    try:
        reply = await home.handle(meaning)
    except ActionError as error:
        text = context.replies.say("no_home_answer") if error.code == "no-answer" else error.message
        return Plan(text, Outcome.FAILED)
    return Plan(reply or context.replies.say("done"), Outcome.HANDED_OVER)
