"""In: a home, a language, the owner's sentences. Out: one grammar source that the text side and the sound side both read.

Order of what is merged: home-assistant-intents, our own sentences (`data/LANGUAGE.yaml`), the owner's files, then the
home's names and areas as lists. Upstream's `responses` stay outside: they are templates for a renderer we do not have.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from hassil.util import merge_dict
from home_assistant_intents import get_intents, get_languages

from appliance.errors import GrammarError
from appliance.grammar.lexicon.script import scripts
from appliance.grammar.source import GrammarSource
from appliance.intents.home import Home
from appliance.intents.names import HomeNames
from appliance.intents.owner import read_owner
from appliance.intents.rare import written_otherwise
from appliance.settings.conversation import IntentSettings

log = logging.getLogger(__name__)

_FastLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where PyYAML was built with it: ten times as fast."""

LOCAL_INTENTS = (
    "HassCancelAllTimers",
    "HassCancelTimer",
    "HassDecreaseTimer",
    "HassGetCurrentDate",
    "HassGetCurrentTime",
    "HassIncreaseTimer",
    "HassNevermind",
    "HassPauseTimer",
    "HassRespond",
    "HassSetVolume",
    "HassSetVolumeRelative",
    "HassListAddItem",
    "HassListCompleteItem",
    "HassListRemoveItem",
    "HassShoppingListAddItem",
    "HassShoppingListCompleteItem",
    "HassStartTimer",
    "HassTimerStatus",
    "HassUnpauseTimer",
    "ApplianceAlarmStatus",
    "ApplianceCalculate",
    "ApplianceCancelAlarm",
    "ApplianceCancelReminder",
    "ApplianceChance",
    "ApplianceChangeAlarm",
    "ApplianceConvert",
    "ApplianceDate",
    "ApplianceDaysUntil",
    "ApplianceFollowUp",
    "ApplianceHelp",
    "ApplianceListAdd",
    "ApplianceListClear",
    "ApplianceListRead",
    "ApplianceListRemove",
    "ApplianceMute",
    "ApplianceNo",
    "ApplianceRefusal",
    "ApplianceRemind",
    "ApplianceReminderStatus",
    "ApplianceRepeat",
    "ApplianceSetAlarm",
    "ApplianceSnooze",
    "ApplianceStatus",
    "ApplianceStop",
    "ApplianceStopwatch",
    "ApplianceVolumeStatus",
    "ApplianceWhen",
    "ApplianceYes",
)
"""What the device does itself, without a home server."""

_OWN_VOLUME = ("HassSetVolume", "HassSetVolumeRelative")


def grammar_source(
    home: Home,
    language: str,
    settings: IntentSettings | None = None,
    problems: list[GrammarError] | None = None,
) -> GrammarSource:
    """Everything that may be said. What is wrong with files and names goes to `problems`, or else to the log.

    Raises GrammarError for a language that nobody wrote sentences for. Blocks for some 10 ms (300 ms for 5,000 names).
    """
    settings = settings or IntentSettings()
    spoken = base_language(language)
    tree: dict[str, Any] = _builtin(spoken) if settings.builtin else {"language": spoken, "intents": {}, "lists": {}}
    if settings.builtin:
        merge_dict(tree, own_sentences(spoken))
    known = frozenset(tree["intents"])
    owned, lists, answers = _merge_owner(tree, settings.sentences, problems)
    for problem in _add_home(tree, home, spoken):
        _report(problem, problems)
    core = _core(spoken, {name: tree["intents"][name] for name in owned if name not in known}, settings.builtin)
    if home.area is None:
        _without_area(tree["intents"])
        _without_area(core or {})
    context = {"area": home.area} if home.area is not None else {}
    present = tuple(name for name in (*LOCAL_INTENTS, *owned) if name in tree["intents"])
    spellings = written_otherwise((*lists, tree["lists"]["name"], tree["lists"]["area"]), spoken)
    return GrammarSource(spoken, tree, tuple(dict.fromkeys(present)), context, core, spellings, answers)


def following(source: GrammarSource) -> GrammarSource:
    """The grammar of the moment after a command or a question: elliptic sentences ("and the bedroom too") count too."""
    return replace(source, context={**source.context, "follow_up": True})


def base_language(language: str) -> str:
    """The code under which sentences exist: 'de-AT' → 'de'. Raises GrammarError where there are none."""
    for code in (language, language.split("-")[0]):
        if code in get_languages():
            return code
    raise GrammarError("language-unknown", f"There are no sentences in the language '{language}'.")


def _builtin(language: str) -> dict[str, Any]:
    tree: dict[str, Any] = get_intents(language) or {}
    tree.pop("responses", None)
    _sort_small_talk(tree)
    for block in _blocks(tree, _OWN_VOLUME):
        _forget_area(block)  # said without a place, the volume is the device's own
    return tree


def _sort_small_talk(tree: dict[str, Any]) -> None:
    """HassRespond tells its topics apart by reply only: they become a slot, and "what can I say" our own intent."""
    talk = tree["intents"].pop("HassRespond", {"data": []})["data"]
    helps = [block for block in talk if block.get("response") == "commands"]
    rest = [block for block in talk if block.get("response") != "commands"]
    for block in rest:
        block.setdefault("slots", {})["topic"] = block.get("response", "hello")
    if helps:
        tree["intents"]["ApplianceHelp"] = {"data": helps}
    if rest:
        tree["intents"]["HassRespond"] = {"data": rest}


def own_sentences(language: str) -> dict[str, Any]:
    """Our sentences: `data/LANGUAGE.yaml`, and one file a skill in `data/LANGUAGE/`."""
    data = resources.files("appliance.intents") / "data"
    folder = data / language
    skills = sorted(folder.iterdir(), key=lambda file: file.name) if folder.is_dir() else []
    tree: dict[str, Any] = {"intents": {}}
    for file in (data / f"{language}.yaml", *skills):
        if file.is_file():
            merge_dict(tree, yaml.load(file.read_text(encoding="utf-8"), Loader=_FastLoader))
    return tree


def _core(language: str, owned: dict[str, Any], builtin: bool) -> dict[str, Any] | None:
    """What a recogniser of another language listens for: our short sentences, and the intents that the owner added."""
    file = resources.files("appliance.intents") / "data" / f"{language}_core.yaml"
    if not file.is_file():
        return None
    core: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8")) if builtin else {}
    return {**core, **owned}


def _merge_owner(
    tree: dict[str, Any], files: Sequence[Path], problems: list[GrammarError] | None
) -> tuple[list[str], list[dict[str, Any]], dict[str, str]]:
    """Merges the owner's files as Home Assistant does (lists grow); gives the names of their intents, lists and answers."""
    owned: list[str] = []
    lists: list[dict[str, Any]] = []
    answers: dict[str, str] = {}
    for file in files:
        found = read_owner(file, tree, str(tree["language"]))
        for problem in found.problems:
            _report(problem, problems)
        owned.extend(found.tree.get("intents", {}))
        lists.extend(found.tree.get("lists", {}).values())
        answers.update(found.answers)
        merge_dict(tree, found.tree)
    return owned, lists, answers


def _add_home(tree: dict[str, Any], home: Home, language: str) -> Iterator[GrammarError]:
    """Adds the home's lists; gives what is wrong with its names."""
    alphabet = scripts("".join(text for intent in tree["intents"].values() for text in _texts(intent)))
    made = HomeNames(home, language, alphabet or frozenset({"LATIN"}))
    lists = tree.setdefault("lists", {})
    lists["name"], lists["area"] = {"values": made.names}, {"values": made.areas}
    lists.setdefault("floor", {"values": []})
    yield from made.problems()


def _texts(intent: dict[str, Any]) -> Iterator[str]:
    for block in intent["data"]:
        yield from map(str, block["sentences"])


def _report(problem: GrammarError, problems: list[GrammarError] | None) -> None:
    if problems is None:
        log.warning("%s", problem)
    else:
        problems.append(problem)


def _blocks(tree: dict[str, Any], intents: Sequence[str]) -> Iterator[dict[str, Any]]:
    for name in intents:
        yield from tree["intents"].get(name, {}).get("data", [])


def _without_area(intents: dict[str, Any]) -> None:
    """A device that does not know its room understands "turn off the lights" too; the home server finds the place."""
    for intent in intents.values():
        for block in intent["data"]:
            _forget_area(block)


def _forget_area(block: dict[str, Any]) -> None:
    requires = block.get("requires_context", {})
    if isinstance(requires.get("area"), dict) and requires["area"].get("slot"):
        block["requires_context"] = {key: value for key, value in requires.items() if key != "area"}
