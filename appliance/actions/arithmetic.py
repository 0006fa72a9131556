"""In: a sum in words. Out: its result, as people say it, or why there is none."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation, localcontext

from appliance.actions.device import SkillContext
from appliance.actions.plan import Plan
from appliance.intents.interpretation import Interpretation, Slot

LARGEST = Decimal(10) ** 15
"""Beyond a quadrillion nobody can follow a spoken number."""
LARGEST_POWER = 100
DIGITS = 4
"""Behind the point, at the most."""
_BINDS = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 3}


def calculate(meaning: Interpretation, context: SkillContext) -> Plan:
    """'12 times 14 is 168.'"""
    say = context.replies.say
    try:
        result = _result(meaning.slots)
    except ZeroDivisionError:
        return Plan(say("calc_by_zero"))
    except (OverflowError, InvalidOperation):
        return Plan(say("calc_too_large"))
    key = "calc_is" if result == rounded(result) else "calc_about"
    return Plan(say(key, result=context.replies.number(rounded(result))))


def rounded(value: Decimal) -> Decimal:
    """To DIGITS behind the point, or to as many more as a small value needs to show three figures."""
    if value == 0:
        return Decimal(0)
    places = max(DIGITS, 2 - value.adjusted()) if abs(value) < 1 else DIGITS
    return value.quantize(Decimal(1).scaleb(-places)).normalize()


def _result(slots: dict[str, Slot]) -> Decimal:
    with localcontext() as digits:
        digits.prec = 40
        first, second = _number(slots, "first"), _number(slots, "second")
        sign = str(slots["sign"])
        if "third" in slots:
            third, next_sign = _number(slots, "third"), str(slots["sign2"])
            if _BINDS[next_sign] > _BINDS[sign]:
                return _bounded(_apply(sign, first, _apply(next_sign, second, third)))
            return _bounded(_apply(next_sign, _apply(sign, first, second), third))
        return _bounded(_apply(sign, first, second))


def _apply(sign: str, first: Decimal, second: Decimal) -> Decimal:
    if sign == "+":
        return first + second
    if sign == "-":
        return first - second
    if sign == "*":
        return first * second
    if sign == "/":
        if second == 0:
            raise ZeroDivisionError  # decimal calls 0 / 0 an invalid operation, as a result that is too large
        return first / second
    if sign == "% of":
        return first * second / 100
    if sign == "root":
        return first.sqrt()
    if abs(second) > LARGEST_POWER:
        raise OverflowError
    return first**second


def _bounded(value: Decimal) -> Decimal:
    if abs(value) > LARGEST:
        raise OverflowError
    return value


def _number(slots: dict[str, Slot], name: str) -> Decimal:
    return Decimal(str(slots.get(name, 0))) + Decimal(str(slots.get(f"{name}_tenths", 0))) / 10
