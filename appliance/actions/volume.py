"""In: a wish about the device's own loudness. Out: the new volume, in percent."""

from __future__ import annotations

from appliance.actions.device import SkillContext
from appliance.actions.home import hand_over
from appliance.actions.plan import Plan
from appliance.intents.interpretation import Interpretation

STEP_PERCENT = 10
LEAST_PERCENT = 10
"""'Volume down' stops here: a device turned down to nothing cannot say so. 'Volume to zero' is obeyed."""


def set_volume(meaning: Interpretation, context: SkillContext) -> Plan:
    """To a percentage. With a room or a player named it is the home's business."""
    if _elsewhere(meaning):
        return hand_over(meaning, context)
    return _to(_percent(meaning.slots.get("volume_level", context.device.volume())), context)


def tell_volume(_: Interpretation, context: SkillContext) -> Plan:
    """'Volume 50 percent.'"""
    return Plan(context.replies.say("volume", percent=context.device.volume()))


def change_volume(meaning: Interpretation, context: SkillContext) -> Plan:
    """Up or down by a step or by a stated number of percent."""
    if _elsewhere(meaning):
        return hand_over(meaning, context)
    step = meaning.slots.get("volume_step", "up")
    now = context.device.volume()
    change = {"up": STEP_PERCENT, "down": -STEP_PERCENT}.get(str(step))
    wanted = now + (change if change is not None else int(float(step)))
    if wanted < now:
        wanted = max(wanted, min(now, LEAST_PERCENT))
    if _percent(wanted) == now:
        return Plan(context.replies.say("volume_most" if wanted >= now and now > LEAST_PERCENT else "volume_least"))
    return _to(_percent(wanted), context)


def _to(percent: int, context: SkillContext) -> Plan:
    async def act() -> Plan | None:
        await context.device.set_volume(percent)
        return None

    return Plan(context.replies.say("volume", percent=percent), act=act)


def _elsewhere(meaning: Interpretation) -> bool:
    return bool({"name", "area", "floor"} & meaning.slots.keys())


def _percent(value: str | float) -> int:
    return max(0, min(100, round(float(value))))
