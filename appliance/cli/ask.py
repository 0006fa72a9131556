"""A sentence as text: what it means and what the device would answer; `--do` has it done on the running device."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping
from typing import Any

from appliance.actions.registry import plan
from appliance.cli.alone import context_alone
from appliance.errors import ApplianceError
from appliance.intents.home import Home, load_home
from appliance.intents.recognise import Interpreter
from appliance.intents.replies import Replies, strip_marks
from appliance.intents.source import grammar_source
from appliance.settings import Settings, load

EXAMPLE = 'appliance ask "how many days until christmas" --json'
SEARCH_S = 3.0
"""CPU time of the one search; nothing waits for it."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", help="the sentence")
    parser.add_argument("--do", action="store_true", help="have it done (by the running device)")
    parser.add_argument("--json", action="store_true", help="print intent, slots, reply and question as JSON")


def run(args: argparse.Namespace) -> int:
    settings, _ = load(args.config, args.assignments)
    answer = _done(settings, args.text) if args.do else _asked(settings, args.text)
    if args.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        _show(answer)
    return 0 if answer["intent"] is not None else 1


def _done(settings: Settings, text: str) -> dict[str, Any]:
    from appliance.api import control  # brings the whole device along, 0.4 s that a question alone need not wait

    table = asyncio.run(control.ask(settings.device.runtime_dir, "ask", {"text": text}))
    return {key: table.get(key) for key in ("intent", "slots", "reply", "question")}


def _asked(settings: Settings, text: str) -> dict[str, Any]:
    """What the sentence means in the home of these settings; touches nothing."""
    file = settings.intents.home_file
    home = load_home(file) if file is not None else Home(area=settings.device.area)
    problems: list[Any] = []
    source = grammar_source(home, settings.device.language, settings.intents, problems)
    interpreter = Interpreter(source, home)
    meaning = interpreter.interpret(text, budget_s=SEARCH_S)
    replies = Replies(settings.device.language)
    if meaning is None:
        return {"intent": None, "slots": None, "reply": replies.say("not_understood"), "question": None}
    planned = plan(meaning, context_alone(settings, replies, source.answers))
    reply = strip_marks(planned.reply)
    return {
        "intent": meaning.intent,
        "slots": dict(meaning.slots),
        "reply": reply or None,
        "question": reply if planned.ask else None,
    }


def _show(answer: Mapping[str, Any]) -> None:
    if answer["intent"] is None:
        raise ApplianceError("not-understood", str(answer["reply"]))
    print(answer["intent"], *(f"{key}={value}" for key, value in (answer["slots"] or {}).items()))
    print(answer["reply"] or "")
