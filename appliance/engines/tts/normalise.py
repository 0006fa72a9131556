"""In: a reply text as it is written. Out: the text as it is said: times, figures and units spelled, odd characters gone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from appliance.engines.tts.figures import spelled_figures
from appliance.engines.tts.sentences import CUT

_TIME = re.compile(
    r"(?<![\d:.,])([01]?\d|2[0-4]):([0-5]\d)(?![\d:])(\s*(?:[ap]\.?m\.?)(?!\w))?(\s*uhr\b)?", re.IGNORECASE
)
_SPACES = re.compile(r"[ \t\r\n\u00a0\u202f\u2009]+")
_MARKUP = re.compile(r"[*_`#<>\[\]{}|\\~^]+")

_UNITS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "en": (
        ("°C", "degree Celsius", "degrees Celsius"), ("°F", "degree Fahrenheit", "degrees Fahrenheit"),
        ("°", "degree", "degrees"), ("%", "percent", "percent"), ("km/h", "kilometre per hour", "kilometres per hour"),
        ("kWh", "kilowatt hour", "kilowatt hours"), ("kW", "kilowatt", "kilowatts"), ("ms", "millisecond", "milliseconds"),
        ("MB", "megabyte", "megabytes"), ("GB", "gigabyte", "gigabytes"), ("hPa", "hectopascal", "hectopascals"),
        ("m/s", "metre per second", "metres per second"), ("mph", "mile per hour", "miles per hour"),
        ("m²", "square metre", "square metres"), ("m³", "cubic metre", "cubic metres"),
        ("km", "kilometre", "kilometres"), ("cm", "centimetre", "centimetres"), ("mm", "millimetre", "millimetres"),
        ("m", "metre", "metres"), ("kg", "kilogram", "kilograms"), ("mg", "milligram", "milligrams"), ("g", "gram", "grams"),
        ("ml", "millilitre", "millilitres"), ("l", "litre", "litres"), ("Wh", "watt hour", "watt hours"),
        ("W", "watt", "watts"), ("V", "volt", "volts"), ("mA", "milliampere", "milliamperes"), ("A", "ampere", "amperes"),
        ("kHz", "kilohertz", "kilohertz"), ("Hz", "hertz", "hertz"), ("dB", "decibel", "decibels"), ("lx", "lux", "lux"),
        ("h", "hour", "hours"), ("min", "minute", "minutes"), ("s", "second", "seconds"),
    ),
    "de": (
        ("°C", "Grad Celsius", "Grad Celsius"), ("°", "Grad", "Grad"), ("%", "Prozent", "Prozent"),
        ("km/h", "Kilometer pro Stunde", "Kilometer pro Stunde"), ("kWh", "Kilowattstunde", "Kilowattstunden"),
        ("kW", "Kilowatt", "Kilowatt"), ("ms", "Millisekunde", "Millisekunden"), ("MB", "Megabyte", "Megabyte"),
        ("GB", "Gigabyte", "Gigabyte"), ("hPa", "Hektopascal", "Hektopascal"),
        ("m/s", "Meter pro Sekunde", "Meter pro Sekunde"), ("m²", "Quadratmeter", "Quadratmeter"),
        ("m³", "Kubikmeter", "Kubikmeter"), ("km", "Kilometer", "Kilometer"), ("cm", "Zentimeter", "Zentimeter"),
        ("mm", "Millimeter", "Millimeter"), ("m", "Meter", "Meter"), ("kg", "Kilogramm", "Kilogramm"),
        ("mg", "Milligramm", "Milligramm"), ("g", "Gramm", "Gramm"), ("ml", "Milliliter", "Milliliter"),
        ("l", "Liter", "Liter"), ("Wh", "Wattstunde", "Wattstunden"), ("W", "Watt", "Watt"), ("V", "Volt", "Volt"),
        ("mA", "Milliampere", "Milliampere"), ("A", "Ampere", "Ampere"), ("kHz", "Kilohertz", "Kilohertz"),
        ("Hz", "Hertz", "Hertz"), ("dB", "Dezibel", "Dezibel"), ("lx", "Lux", "Lux"), ("h", "Stunde", "Stunden"),
        ("min", "Minute", "Minuten"), ("s", "Sekunde", "Sekunden"),
    ),
    "fr": (
        ("°C", "degré Celsius", "degrés Celsius"), ("°", "degré", "degrés"), ("%", "pour cent", "pour cent"),
        ("km/h", "kilomètre à l'heure", "kilomètres à l'heure"), ("kWh", "kilowattheure", "kilowattheures"),
        ("kW", "kilowatt", "kilowatts"), ("ms", "milliseconde", "millisecondes"), ("MB", "mégaoctet", "mégaoctets"),
        ("GB", "gigaoctet", "gigaoctets"), ("hPa", "hectopascal", "hectopascals"),
    ),
    "es": (
        ("°C", "grado Celsius", "grados Celsius"), ("°", "grado", "grados"), ("%", "por ciento", "por ciento"),
        ("km/h", "kilómetro por hora", "kilómetros por hora"), ("kWh", "kilovatio hora", "kilovatios hora"),
        ("kW", "kilovatio", "kilovatios"), ("ms", "milisegundo", "milisegundos"), ("MB", "megabyte", "megabytes"),
        ("GB", "gigabyte", "gigabytes"), ("hPa", "hectopascal", "hectopascales"),
    ),
}  # fmt: skip
"""Language → (sign, one, several). What espeak says by itself (a bare number, a date) is left to it."""

_TITLES = {
    "en": {"Dr.": "Doctor", "Mr.": "Mister", "Mrs.": "Missis", "e.g.": "for example", "i.e.": "that is"},
    "de": {"z. B.": "zum Beispiel", "z.B.": "zum Beispiel", "d.h.": "das heißt", "Dr.": "Doktor", "ca.": "circa"},
}
"""espeak ends a clause at these points."""


def normalised(text: str, language: str) -> str:
    """What is said for `text` (BCP 47 `language`); cut marks are kept, other control characters are not."""
    base = language.split("-")[0].lower()
    said = unicodedata.normalize("NFC", text).replace("℃", "°C").replace("℉", "°F").replace("º", "°").replace("−", "-")
    said = "".join(c if c == CUT or unicodedata.category(c)[0] not in "C" else " " for c in said)
    said = "".join(" " if unicodedata.category(c) == "So" and c != "°" else c for c in said)  # emoji
    said = _MARKUP.sub(" ", said)
    for short, long in _TITLES.get(base, {}).items():
        said = said.replace(short, long)
    said = spelled_figures(said, base)
    if base in _CLOCKS:
        said = _TIME.sub(_CLOCKS[base], said)
    for sign, one, several in _UNITS.get(base, ()):
        said = _spelled(said, sign, one, several)
    return _SPACES.sub(" ", said).strip()


def _spelled(text: str, sign: str, one: str, several: str) -> str:
    pattern = rf"(?<![\w.,])(-?\d+(?:[.,]\d+)?)\s?{re.escape(sign)}(?!\w)"
    return re.sub(pattern, lambda m: f"{m[1]} {one if m[1] in ('1', '-1') else several}", text)


def _english(match: re.Match[str]) -> str:
    hour, minute, half = int(match[1]), int(match[2]), match[3]
    said = str(hour) if minute else (str(hour) if half else f"{hour} o'clock")
    if hour in (0, 24) and not minute:
        return "midnight"
    if minute:
        said += f" {minute}" if minute > 9 else f" oh {minute}"
    return said + (f" {half.strip()[0].upper()}M" if half else "")


def _german(match: re.Match[str]) -> str:
    hour = "ein" if match[1] in ("1", "01") else str(int(match[1]))
    return f"{hour} Uhr" + (f" {int(match[2])}" if int(match[2]) else "")


def _french(match: re.Match[str]) -> str:
    hour = int(match[1])
    name = "une heure" if hour == 1 else f"{hour} heures"
    return name + (f" {int(match[2])}" if int(match[2]) else "")


def _spanish(match: re.Match[str]) -> str:
    hour = "una" if int(match[1]) == 1 else str(int(match[1]))
    return hour + (f" y {int(match[2])}" if int(match[2]) else " en punto")


_CLOCKS: dict[str, Callable[[re.Match[str]], str]] = {
    "en": _english, "de": _german, "fr": _french, "es": _spanish
}  # fmt: skip
