"""In: the device's language. Out: recognisers of another one that may listen for it until a real one is fetched."""

from __future__ import annotations

import ctypes
import logging

log = logging.getLogger(__name__)

STAND_INS = {"de": ("zipformer-en-3.3M", "zipformer-en-3.3M-repaired")}
"""Language → models of the catalogue; how they hear it (engines/stt/accent.py) was learned from the small one only."""
LIBRARY = "libespeak-ng.so.1"
"""Tells how the words of the language sound."""


def stand_ins(language: str) -> tuple[str, ...]:
    """Names of the models that may listen for `language` (BCP 47)."""
    return STAND_INS.get(language.split("-")[0], ())


def can_stand_in(language: str) -> bool:
    """Whether this machine knows how words of `language` sound; the log says where it does not."""
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        log.warning(
            "No English recogniser can stand in for '%s': %s is missing (apt-get install espeak-ng).", language, LIBRARY
        )
        return False
    return True


def what_it_hears(model: str, language: str) -> str:
    """One sentence for people."""
    return (
        f"{model} stands in for a recogniser of '{language}': it listens for core commands only; "
        "`appliance models fetch` gets a real one"
    )
