"""In: a grammar source. Out: a bounded, varied sample of its sentences with names left open and numbers as '#'.

Sampling covers: every alternative of a template comes up at least once before any pair of them is tried again, because
the first so many of all combinations would differ in their last word only.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import islice, permutations
from typing import Any

from hassil.expression import (
    Alternative,
    Expression,
    ListReference,
    Permutation,
    RuleReference,
    Sentence,
    Sequence,
    TextChunk,
)
from hassil.intents import Intents

from appliance.grammar.source import GrammarSource

OPEN = ("name", "area")
"""Lists that stay open: the home fills them."""
SLOT = re.compile(r"\{(\w+)\}")
_OF_OWN = 40
_OF_OTHERS = 14
"""Variants of one template: the device's own and the owner's are likelier to be said."""
_VALUES = 12
_SEED = 1


def skeletons(source: GrammarSource) -> Iterator[str]:
    """Sentences such as 'turn on the {name}', 'set a timer for # minutes'; none with open text. Own intents first."""
    intents = Intents.from_dict(source.sentences)
    lists = source.sentences.get("lists", {})
    for intent in sorted(intents.intents.values(), key=lambda intent: intent.name not in source.own_intents):
        most = _OF_OWN if intent.name in source.own_intents else _OF_OTHERS
        for block in intent.data:
            if "follow_up" in block.requires_context:
                continue
            rules = {**intents.expansion_rules, **block.expansion_rules}
            for sentence in block.sentences:
                used = set(sentence.list_names(rules))
                if "floor" in used or any("wildcard" in lists.get(name, {}) for name in used):
                    continue
                for text in _variants(sentence.expression, rules, most):
                    yield from _closed(" ".join(text.split()), lists)


def _variants(expression: Expression, rules: dict[str, Sentence], most: int) -> list[str]:
    """Up to `most` different texts of the expression."""
    if isinstance(expression, TextChunk):
        return [expression.original_text]
    if isinstance(expression, ListReference):
        return [f"{{{expression.list_name}}}"]
    if isinstance(expression, RuleReference):
        rule = rules.get(expression.rule_name)
        return _variants(rule.expression, rules, most) if rule is not None else []
    if isinstance(expression, Alternative):
        texts = [_variants(item, rules, most) for item in expression.items]
        return list(dict.fromkeys(_in_turn(texts)))[:most]
    if isinstance(expression, Permutation):
        orders = islice(permutations(expression.items), 2)
        return [text for order in orders for text in _joined(list(order), rules, most // 2, " ")]
    if isinstance(expression, Sequence):
        return _joined(expression.items, rules, most, "")
    return []


def _joined(items: list[Expression], rules: dict[str, Sentence], most: int, between: str) -> list[str]:
    """One text of each item in a row, every text of every item used before `most` are made."""
    parts = [_variants(item, rules, most) for item in items]
    if not all(parts):
        return []
    combinations = 1
    for part in parts:
        combinations *= len(part)
    dice = random.Random(_SEED)
    texts: dict[str, None] = {}
    for number in range(min(3 * most, 4 * combinations)):
        if len(texts) >= min(most, combinations):
            break
        first_round = number < max(map(len, parts))
        chosen = (part[number % len(part)] if first_round else dice.choice(part) for part in parts)
        texts[between.join(chosen)] = None
    return list(texts)


def _in_turn(texts: list[list[str]]) -> Iterator[str]:
    """First of each, second of each …"""
    for number in range(max(map(len, texts), default=0)):
        for part in texts:
            if number < len(part):
                yield part[number]


def _closed(text: str, lists: dict[str, Any]) -> Iterator[str]:
    """The text with ranges as '#' and the first small list of words spelled out."""
    text = SLOT.sub(lambda found: "#" if "range" in lists.get(found.group(1), {}) else found.group(), text)
    others = [name for name in SLOT.findall(text) if name not in OPEN]
    if not others:
        yield text
        return
    for value in islice(lists.get(others[0], {}).get("values", ()), _VALUES):
        for plain in _forms(str(value if isinstance(value, str) else value["in"])):
            yield from _closed(text.replace(f"{{{others[0]}}}", plain), lists)


def _forms(template: str) -> Iterator[str]:
    """Forms of a list value: '(closed|shut)' → closed, shut; optional parts are left out."""
    bare = re.sub(r"\[[^]]*\]", "", template)
    group = re.search(r"\(([^()]*)\)", bare)
    choices = group.group(1).split("|") if group is not None else [""]
    start, end = group.span() if group is not None else (len(bare), len(bare))
    for choice in choices:
        yield " ".join((bare[:start] + choice + bare[end:]).split())
