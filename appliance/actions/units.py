"""In: an amount and two units. Out: the amount in the other unit, or that the two do not go together.

A table of fifty units that people say instead of a library: pint would bring four packages and a third of a second of
import for a thousand units that nobody asks a kitchen for. Factors are exact by definition (international yard and
pound, 1959; US customary volumes; thermochemical calorie) unless marked.
"""

from __future__ import annotations

from decimal import Decimal

from appliance.actions.arithmetic import rounded
from appliance.actions.device import SkillContext
from appliance.actions.plan import Plan
from appliance.intents.interpretation import Interpretation, Slot
from appliance.intents.replies import capital

_TABLE: dict[str, dict[str, str]] = {
    "length": {
        "mm": "0.001", "cm": "0.01", "m": "1", "km": "1000",
        "in": "0.0254", "ft": "0.3048", "yd": "0.9144", "mi": "1609.344", "nmi": "1852",
    },
    "mass": {
        "mg": "0.000001", "g": "0.001", "kg": "1", "t": "1000",
        "oz": "0.028349523125", "lb": "0.45359237", "st": "6.35029318",
    },
    "volume": {
        "ml": "0.001", "cl": "0.01", "l": "1", "tsp": "0.00492892159375", "tbsp": "0.01478676478125",
        "floz": "0.0295735295625", "cup": "0.2365882365", "pt": "0.473176473", "qt": "0.946352946", "gal": "3.785411784",
    },
    "time": {"s": "1", "min": "60", "h": "3600", "d": "86400", "wk": "604800", "a": "31556952"},
    "speed": {"m/s": "3.6", "km/h": "1", "mph": "1.609344", "kn": "1.852"},
    "area": {"m2": "1", "ft2": "0.09290304", "acre": "4046.8564224", "ha": "10000"},
    "energy": {"J": "1", "kJ": "1000", "kcal": "4184", "kWh": "3600000"},
    "data": {"bit": "0.125", "B": "1", "kB": "1000", "MB": "1000000", "GB": "1000000000", "TB": "1000000000000"},
}  # fmt: skip
"""Kind → unit (as in data/LANGUAGE/units.yaml) → how much of the kind's own unit it is. A year is a mean Gregorian one."""
_DEGREES = {"C", "F", "K"}


def convert(meaning: Interpretation, context: SkillContext) -> Plan:
    """'10 miles are 16.0934 kilometres.'"""
    slots, replies = meaning.slots, context.replies
    amount, source, target = _amount(slots), str(slots["from"]), str(slots["to"])
    result = converted(amount, source, target)
    if result is None:
        return Plan(capital(replies.say("units_differ", source=replies.unit(source), target=replies.unit(target))))
    shown = rounded(result) if abs(result) < 100 else result.quantize(Decimal("0.1")).normalize()
    if source in _DEGREES:
        shown = result.quantize(Decimal("0.1")).normalize()
    key = "convert_is" if shown == result else "convert_about"
    said = replies.number(shown)
    return Plan(
        replies.say(
            key,
            amount=f"{replies.number(amount)} {replies.unit(source, amount == 1)}",
            result=f"{said} {replies.unit(target, shown == 1)}",
        )
    )


def converted(amount: Decimal, source: str, target: str) -> Decimal | None:
    """`amount` of `source` in `target`; None where they measure different things."""
    if source in _DEGREES or target in _DEGREES:
        return _from_kelvin(_kelvin(amount, source), target) if {source, target} <= _DEGREES else None
    for units in _TABLE.values():
        if source in units and target in units:
            return amount * Decimal(units[source]) / Decimal(units[target])
    return None


def known() -> frozenset[str]:
    """Every unit there is."""
    return frozenset(unit for units in _TABLE.values() for unit in units) | _DEGREES


def _amount(slots: dict[str, Slot]) -> Decimal:
    if "minus" in slots:
        return -Decimal(str(slots["minus"]))
    return Decimal(str(slots.get("amount", 1))) + Decimal(str(slots.get("tenths", 0))) / 10


def _kelvin(amount: Decimal, unit: str) -> Decimal:
    if unit == "C":
        return amount + Decimal("273.15")
    return amount if unit == "K" else (amount + Decimal("459.67")) * 5 / 9


def _from_kelvin(kelvin: Decimal, unit: str) -> Decimal:
    if unit == "C":
        return kelvin - Decimal("273.15")
    return kelvin if unit == "K" else kelvin * 9 / 5 - Decimal("459.67")
