"""In: a command for the home. Out: the home server's reply, or the sentence that none is connected."""

from __future__ import annotations

from appliance.actions.device import Hands, HomeHandler
from appliance.actions.plan import Plan
from appliance.errors import ActionError
from appliance.events import Outcome
from appliance.intents.interpretation import Interpretation


def hand_over(meaning: Interpretation, hands: Hands) -> Plan:
    """Gives the command to the home server; its reply is known only after `act`."""
    home = hands.home
    if home is None:
        return Plan(hands.replies.say("no_home_server"), Outcome.NO_HOME_SERVER)
    return Plan("", Outcome.HANDED_OVER, act=lambda: _handle(home, meaning.bare(), hands))


async def _handle(home: HomeHandler, meaning: Interpretation, hands: Hands) -> Plan:
    try:
        reply = await home.handle(meaning)
    except ActionError as error:
        text = hands.replies.say("no_home_answer") if error.code == "no-answer" else error.message
        return Plan(text, Outcome.FAILED)
    return Plan(reply or hands.replies.say("done"), Outcome.HANDED_OVER)
