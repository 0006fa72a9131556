"""In: a wish for chance. Out: a coin, dice or a number, drawn by the system's own random source."""

from __future__ import annotations

import secrets

from appliance.actions.device import SkillContext
from appliance.actions.plan import Plan
from appliance.intents.interpretation import Interpretation


def draw(meaning: Interpretation, context: SkillContext) -> Plan:
    """'Heads.', 'Two and five, together seven.', '42.'"""
    say, slots = context.replies.say, meaning.slots
    what = slots.get("what")
    if what == "coin":
        return Plan(say(secrets.choice(("coin_heads", "coin_tails"))))
    if what == "dice":
        sides = max(2, int(slots.get("sides", 6)))
        thrown = [1 + secrets.randbelow(sides) for _ in range(max(1, int(slots.get("count", 1))))]
        if len(thrown) == 1:
            return Plan(say("dice_one", number=thrown[0]))
        return Plan(say("dice_many", numbers=context.replies.join([str(n) for n in thrown]), sum=sum(thrown)))
    low, high = sorted((int(slots.get("low", 1)), int(slots.get("high", 100))))
    return Plan(say("random_number", number=low + secrets.randbelow(high - low + 1)))
