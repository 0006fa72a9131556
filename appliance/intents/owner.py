"""In: the owner's hassil YAML files. Out: what is sound in them, and one GrammarError (file, line, what) for the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from hassil.parse_expression import parse_sentence
from hassil.parser import ParseError

from appliance.errors import GrammarError
from appliance.files import MOST_DEPTH, Damaged, read_text
from appliance.grammar.lexicon.spoken import ways

MOST_NODES = 100_000
"""Of an owner's file, with aliases written out."""
_SECTIONS = {"language", "settings", "intents", "lists", "expansion_rules", "skip_words", "responses"}
_LISTS = re.compile(r"\{([^}:]+)")
_RULES = re.compile(r"<([^>]+)>")
_SIGNS = re.compile(r"[()\[\]{}<>|:;]")
_SLOTS = re.compile(r"\{\{\s*slots\.(\w+)\s*\}\}")
_TEMPLATES = re.compile(r"[{}]")
MOST_ANSWER = 500
"""Letters; half a minute of speech."""
_HOME_LISTS = {"name", "area", "floor"}
"""Filled from the home; always there."""


class Marked(str):
    """A text of a YAML file that knows its line."""

    line: int = 0


class _Loader(yaml.SafeLoader):
    """Safe loader whose texts are `Marked`; a file that unfolds into too much is refused before anything unfolds."""

    def get_single_node(self) -> yaml.Node | None:
        node = super().get_single_node()
        if node is not None:
            _weigh(node, {}, MOST_DEPTH)
        return node


def _weigh(node: yaml.Node, known: dict[int, int], depth: int) -> int:
    """Nodes that `node` unfolds into, its aliases written out. Raises MarkedYAMLError beyond the bounds."""
    if (weight := known.get(id(node))) is not None:
        return weight
    if depth == 0:  # an alias of what it stands in never ends
        raise yaml.MarkedYAMLError(problem=f"nested more than {MOST_DEPTH} deep", problem_mark=node.start_mark)
    weight = 1
    if isinstance(node, yaml.CollectionNode):
        for each in node.value:
            for inner in each if isinstance(each, tuple) else (each,):
                weight += _weigh(inner, known, depth - 1)
                if weight > MOST_NODES:
                    raise yaml.MarkedYAMLError(
                        problem=f"its aliases unfold into more than {MOST_NODES} parts", problem_mark=node.start_mark
                    )
    known[id(node)] = weight
    return weight


def _marked(loader: _Loader, node: yaml.ScalarNode) -> Marked:
    text = Marked(loader.construct_scalar(node))
    text.line = node.start_mark.line + 1
    return text


_Loader.add_constructor("tag:yaml.org,2002:str", _marked)


@dataclass(slots=True)
class OwnerSentences:
    """What could be used of one file."""

    tree: dict[str, Any] = field(default_factory=dict)
    """hassil's dict; empty if the file cannot be read at all."""
    problems: list[GrammarError] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    """Intent → what is said to it, with {slot} where something is put in."""


def read_owner(path: Path, known: dict[str, Any], language: str = "en") -> OwnerSentences:
    """Reads one file. `known` is hassil's dict so far: its lists and rules may be used by the owner. Never raises."""
    found = OwnerSentences()
    try:
        tree = yaml.load(read_text(path), Loader=_Loader)
    except (OSError, Damaged) as error:
        found.problems.append(GrammarError("sentences-unreadable", f"{path}: cannot be read ({error})."))
        return found
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        found.problems.append(GrammarError("sentences-syntax", f"{path}:{line}: no YAML: {error.problem}."))
        return found
    except RecursionError:
        found.problems.append(GrammarError("sentences-syntax", f"{path}: it is nested too deeply."))
        return found
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a number or a date that is none
        found.problems.append(GrammarError("sentences-syntax", f"{path}: no YAML: {error}."))
        return found
    if not isinstance(tree, dict):
        found.problems.append(GrammarError("sentences-shape", f"{path}:1: expected a table with 'intents'."))
        return found
    _Check(path, found, known, language).tree(tree)
    return found


class _Check:
    """Takes over what is sound, notes what is not."""

    def __init__(self, path: Path, found: OwnerSentences, known: dict[str, Any], language: str) -> None:
        self._path = path
        self._language = language
        self._mute: set[str] = set()
        self._found = found
        self._lists = _HOME_LISTS | set(known.get("lists", {}))
        self._rules = set(known.get("expansion_rules", {}))
        self._taken = frozenset(known.get("intents", {}))

    def tree(self, tree: dict[str, Any]) -> None:
        for key in tree:
            if key not in _SECTIONS:
                self._problem(key, f"'{key}' is none of {', '.join(sorted(_SECTIONS))}.")
        out = self._found.tree
        out["lists"] = dict(self._own_lists(self._table(tree, "lists")))
        self._lists |= set(out["lists"])
        rules = self._table(tree, "expansion_rules")
        self._rules |= {str(name) for name in rules}
        out["expansion_rules"] = {str(name): str(body) for name, body in rules.items() if self._sound(body)}
        out["skip_words"] = [str(word) for word in tree.get("skip_words") or [] if isinstance(word, str)]
        out["intents"] = dict(self._intents(self._table(tree, "intents")))
        self._found.answers.update(self._answers(self._table(self._table(tree, "responses"), "intents")))

    def _intents(self, intents: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, intent in intents.items():
            blocks = intent.get("data") if isinstance(intent, dict) else None
            if not isinstance(blocks, list):
                self._problem(name, f"intent '{name}' needs 'data', a list of tables with 'sentences'.")
                continue
            kept = [block for raw in blocks if (block := self._block(name, raw)) is not None]
            if kept:
                yield str(name), {"data": kept}

    def _answers(self, responses: dict[str, Any]) -> Iterator[tuple[str, str]]:
        for name, forms in responses.items():
            text = forms.get("default") if isinstance(forms, dict) else None
            if name in self._taken or name not in self._found.tree["intents"]:
                self._problem(name, f"the response '{name}' belongs to no intent of your own in this file.")
            elif not isinstance(text, str) or not 0 < len(text.strip()) <= MOST_ANSWER:
                self._problem(name, f"the response '{name}' needs 'default', a text of 1 to {MOST_ANSWER} letters.")
            elif _TEMPLATES.search(_SLOTS.sub("", text)):
                self._problem(name, f"the response '{name}' may put in {{{{ slots.NAME }}}} and nothing else.")
            else:
                yield str(name), _SLOTS.sub(r"{\1}", text).strip()

    def _block(self, intent: str, raw: Any) -> dict[str, Any] | None:
        sentences = raw.get("sentences") if isinstance(raw, dict) else None
        if not isinstance(sentences, list):
            self._problem(intent, f"intent '{intent}' has a part of 'data' without a list of 'sentences'.")
            return None
        sound = [str(sentence) for sentence in sentences if self._sound(sentence, intent)]
        for sentence in sentences:
            if mute := [name for name in _LISTS.findall(str(sentence)) if name.strip() in self._mute]:
                self._problem(
                    sentence,
                    f"'{sentence}' cannot be spoken, only typed: list '{mute[0]}' holds no word that can be said.",
                )
        if not sound:
            return None
        plain: dict[str, Any] = _plain(raw)
        return {**plain, "sentences": sound}

    def _sound(self, sentence: Any, place: str | None = None) -> bool:
        if not isinstance(sentence, str):
            self._problem(place, f"a sentence must be a text, not {sentence!r}.")
            return False
        try:
            parse_sentence(sentence)
        except (ParseError, ValueError, AssertionError) as error:
            self._problem(sentence, f"'{sentence}' is no sentence: {_plainly(error)}.")
            return False
        missing = [f"{{{name}}}" for name in _LISTS.findall(sentence) if name.strip() not in self._lists]
        missing += [f"<{name}>" for name in _RULES.findall(sentence) if name.strip() not in self._rules]
        if missing:
            self._problem(sentence, f"'{sentence}' uses {', '.join(missing)}, which is defined nowhere.")
        return not missing

    def _own_lists(self, lists: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, body in lists.items():
            if not isinstance(body, dict) or not {"values", "range", "wildcard"} & set(body):
                self._problem(name, f"list '{name}' needs 'values', a 'range' or 'wildcard: true'.")
                continue
            plain = _plain(body)
            if "values" in plain:
                plain["values"] = [value for value in body["values"] or [] if self._value(name, value)]
                if not any(self._speakable(value) for value in plain["values"]):
                    self._mute.add(str(name))
                plain = _plain(plain)
            elif "range" in plain and not self._range(name, plain["range"]):
                continue
            yield str(name), plain

    def _value(self, name: str, value: Any) -> bool:
        text = value.get("in") if isinstance(value, dict) else value
        if not isinstance(text, str):
            self._problem(name, f"list '{name}' holds {text!r}, which is no text: put it in quotes.")
            return False
        return self._sound(text)

    def _speakable(self, value: Any) -> bool:
        text = str(value.get("in") if isinstance(value, dict) else value)
        return bool(ways(" ".join(_SIGNS.sub(" ", text).split()), self._language))

    def _range(self, name: str, bounds: Any) -> bool:
        try:
            sound = int(bounds["from"]) <= int(bounds["to"]) and int(bounds.get("step", 1)) > 0
        except (KeyError, TypeError, ValueError, AttributeError):
            sound = False
        if not sound:
            self._problem(
                name, f"the range of list '{name}' needs whole numbers 'from' and 'to', 'from' not above 'to'."
            )
        return sound

    def _table(self, tree: dict[str, Any], key: str) -> dict[str, Any]:
        value = tree.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._problem(key, f"'{key}' must be a table.")
            return {}
        return value

    def _problem(self, place: str | None, what: str) -> None:
        line = f":{place.line}" if isinstance(place, Marked) else ""
        self._found.problems.append(GrammarError("sentences-wrong", f"{self._path}{line}: {what}"))


def _plainly(error: Exception) -> str:
    """hassil's message, in words for people where it is one that typing errors cause."""
    text = str(error)
    group = re.match(r"Unable to find end of (\w+)", text)
    return f"a {group.group(1)} that is opened there is never closed" if group is not None else text.splitlines()[0]


def _plain(value: Any) -> Any:
    """The same without marks, ready for JSON."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Marked) else value
