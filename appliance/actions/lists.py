"""In: a wish about a list. Out: the item kept or read on the device, or handed to the home server, where there is one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.actions.device import SkillContext
from appliance.actions.home import hand_over
from appliance.actions.plan import Plan
from appliance.files import recall, rows, table, text, write_atomic
from appliance.intents.interpretation import Interpretation
from appliance.intents.replies import capital

log = logging.getLogger(__name__)

MOST_ITEMS = 100
MOST_LETTERS = 100
MOST_READ = 10
"""Items spoken of one list; nobody remembers more."""
SHOPPING = "shopping"
TO_DO = "to-do"


@dataclass(slots=True)
class Lists:
    """Lists of this device, in one small file that is written when something changes."""

    path: Path
    _items: dict[str, list[str]] = field(default_factory=dict)
    _dirty: bool = False

    def load(self) -> None:
        """Takes over the file; a missing one is empty, a damaged one is put aside and logged."""
        none: dict[str, list[str]] = {}
        self._items = recall(self.path, _checked, none)

    def items(self, name: str) -> tuple[str, ...]:
        return tuple(self._items.get(name, ()))

    def find(self, name: str, item: str) -> str | None:
        """The item as it stands on the list; 'milk' finds 'Milk'."""
        wanted = item.casefold()
        return next((held for held in self.items(name) if held.casefold() == wanted), None)

    def add(self, name: str, item: str) -> None:
        """Adds an item. Raises ValueError where the list is full."""
        items = self._items.setdefault(name, [])
        if len(items) >= MOST_ITEMS:
            raise ValueError("The list is full.")
        items.append(item[:MOST_LETTERS])
        self._dirty = True

    def remove(self, name: str, item: str) -> None:
        """Removes an item. Raises ValueError where it is not on the list."""
        self._items.get(name, []).remove(item)
        self._dirty = True

    def clear(self, name: str) -> None:
        self._items[name] = []
        self._dirty = True

    def save(self) -> None:
        """Writes the file if something changed. Blocks; on a disk that cannot be written the lists stay in memory."""
        if not self._dirty:
            return
        self._dirty = False
        try:
            write_atomic(self.path, json.dumps(self._items, ensure_ascii=False))
        except OSError as error:
            self._dirty = True
            log.warning("%s cannot be written: %s.", self.path, error.strerror)


def _checked(tree: Any) -> dict[str, list[str]]:
    """The lists of a file. Raises Damaged."""
    found = table(tree)
    return {
        name: [text(item, MOST_LETTERS) for item in rows(found[name], MOST_ITEMS)]
        for name in (SHOPPING, TO_DO)
        if name in found
    }


def add(meaning: Interpretation, context: SkillContext) -> Plan:
    """'Added milk to your shopping list.'"""
    if _elsewhere(meaning, context):
        return hand_over(meaning, context)
    name, item, say = _list(meaning), _item(meaning), context.replies.say
    if not item or len(item) > MOST_LETTERS:
        return Plan(say("too_long_text"))
    if context.lists.find(name, item) is not None:
        return Plan(capital(say("list_has", item=item, list=_called(name, context))))
    if len(context.lists.items(name)) >= MOST_ITEMS:
        return Plan(say("list_full", list=_called(name, context)))
    reply = say("list_added", item=item, list=_called(name, context))
    return _does(reply, context, lambda: context.lists.add(name, item))


def remove(meaning: Interpretation, context: SkillContext) -> Plan:
    """'Took milk off your shopping list.'"""
    if _elsewhere(meaning, context):
        return hand_over(meaning, context)
    name, item, say = _list(meaning), _item(meaning), context.replies.say
    held = context.lists.find(name, item)
    if held is None:
        return Plan(capital(say("list_lacks", item=item, list=_called(name, context))))
    reply = say("list_removed", item=held, list=_called(name, context))
    return _does(reply, context, lambda: context.lists.remove(name, held))


def read(meaning: Interpretation, context: SkillContext) -> Plan:
    """'There are 3 things on your shopping list: …'"""
    if _elsewhere(meaning, context):
        return hand_over(meaning, context)
    name, say = _list(meaning), context.replies.say
    items = context.lists.items(name)
    if not items:
        return Plan(say("list_empty", list=_called(name, context)))
    newest = context.replies.join(list(items[-MOST_READ:]))
    key = "list_one" if len(items) == 1 else "list_items" if len(items) <= MOST_READ else "list_many"
    return Plan(say(key, count=len(items), items=newest, shown=MOST_READ, list=_called(name, context)))


def clear(meaning: Interpretation, context: SkillContext) -> Plan:
    """'Your shopping list is empty now.'"""
    if _elsewhere(meaning, context):
        return hand_over(meaning, context)
    name = _list(meaning)
    reply = context.replies.say("list_cleared", list=_called(name, context))
    return _does(reply, context, lambda: context.lists.clear(name))


def _elsewhere(meaning: Interpretation, context: SkillContext) -> bool:
    """The home server's lists count where it is there; a list that only it knows is always its business."""
    return context.home is not None or "name" in meaning.slots


def _list(meaning: Interpretation) -> str:
    return str(meaning.slots.get("list", SHOPPING))


def _item(meaning: Interpretation) -> str:
    return " ".join(str(meaning.slots.get("item", "")).split())


def _called(name: str, context: SkillContext) -> str:
    return context.replies.say("list_shopping" if name == SHOPPING else "list_to_do")


def _does(reply: str, context: SkillContext, do: Callable[[], None]) -> Plan:
    async def act() -> Plan | None:
        with contextlib.suppress(ValueError):  # changed between plan and act; nothing is left to do
            do()
        await asyncio.to_thread(context.lists.save)
        return None

    return Plan(reply, act=act)
