"""In: names that English letters cannot write. Out: spellings that an English recogniser can listen for.

The sounds come from the program espeak-ng, one process a language; where it is absent there are no such spellings.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import unicodedata
from collections.abc import Iterable

from appliance.grammar.lexicon.respell import spellings
from appliance.grammar.lexicon.script import scripts

log = logging.getLogger(__name__)

PROGRAM = "espeak-ng"
PATIENCE_S = 5.0
MOST_RESPELT = 100
"""Names of one home; each has two dozen spellings, which the text side has to look through too."""
_VOICES = {
    "CYRILLIC": "ru",
    "GREEK": "el",
    "HANGUL": "ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HEBREW": "he",
    "ARABIC": "ar",
    "DEVANAGARI": "hi",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
}
"""Script → espeak-ng's voice of the language most written in it."""
_TELLING = {
    "uk": "іїєґ",
    "de": "äöüß",
    "pl": "ąćęłńśźż",
    "es": "ñ",
    "fr": "àâçèéêëîïôœùû",
    "sv": "å",
    "pt": "ãõ",
    "tr": "ğşı",
}
"""Voice → letters that say which of the languages of one script it is; the first that fits."""


def is_foreign(name: str) -> bool:
    """Whether `name` has letters beyond a to z."""
    return any(sign.isalpha() and not sign.isascii() for sign in name)


def english_spellings(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Name → spellings, for the first MOST_RESPELT foreign names that have any. Blocks for 20 ms a language."""
    chosen = list(dict.fromkeys(name for name in names if is_foreign(name)))[:MOST_RESPELT]
    by_voice: dict[str, list[str]] = {}
    for name in chosen:
        if (voice := _voice(name)) is not None:
            by_voice.setdefault(voice, []).append(name)
    sounds = {name: ipa for voice, group in by_voice.items() for name, ipa in _pronounced(voice, group)}
    found = {name: (*_unaccented(name), *spellings(sounds.get(name, ""))) for name in chosen}
    return {name: tuple(dict.fromkeys(each)) for name, each in found.items() if each}


def _voice(name: str) -> str | None:
    """The voice that reads `name`; None where nobody can tell."""
    signs = set(unicodedata.normalize("NFC", name.casefold()))
    for voice, telling in _TELLING.items():
        if signs & set(telling):
            return voice
    return next((_VOICES[script] for script in sorted(scripts(name)) if script in _VOICES), None)


def _unaccented(name: str) -> tuple[str, ...]:
    """A Latin name without its accents."""
    plain = unicodedata.normalize("NFD", name.casefold().replace("ł", "l"))
    kept = "".join(sign for sign in plain if not unicodedata.combining(sign))
    letters = " ".join("".join(sign if sign.isalnum() else " " for sign in kept).split())
    return (letters,) if letters and letters.isascii() else ()


def _pronounced(voice: str, names: list[str]) -> list[tuple[str, str]]:
    """(name, IPA), by espeak-ng, a paragraph a name; nothing where it does not answer with as many."""
    if (program := shutil.which(PROGRAM)) is None:
        return []
    text = "\n\n".join(" ".join("".join(s if s.isalnum() else " " for s in name).split()) for name in names)
    command = [program, "-q", "--ipa", "-v", voice]
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    except (OSError, subprocess.SubprocessError, UnicodeError) as error:
        log.warning("espeak-ng cannot pronounce names in '%s' (%s)", voice, error)
        return []
    said = [" ".join(block.split()) for block in done.stdout.split("\n\n") if block.strip()]
    if len(said) != len(names):
        log.warning("espeak-ng pronounced %d of %d names in '%s'", len(said), len(names), voice)
        return []
    return list(zip(names, said, strict=True))
