"""In: the grammar and one example or more of each intent. Out: the page of what can be said, docs/what-you-can-say.md."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

import yaml

from appliance.intents.followup import FOLLOW_UPS
from appliance.intents.source import LOCAL_INTENTS, own_sentences

ELSEWHERE = frozenset({"HassListAddItem", "HassListCompleteItem", "HassListRemoveItem"})
"""Local intents whose lists have names that only a home server gives; no example holds without one."""
HEAD = """# What you can say

Made from the grammar: `python -m appliance.intents.examples > docs/what-you-can-say.md`. Every example is understood as text
in the tests; `appliance ask "…"` tries one without a microphone. In the forms, `[…]` may be left out, `(a|b)` is one of them,
`{…}` is a number, a name or free text, `<…>` a phrase of the same file in `appliance/intents/data/en`. Sentences of
home-assistant-intents come on top of these.

Any command can be put off: "turn off the fan in five minutes". With a home server, everything of home-assistant-intents for
your rooms and devices can be said too. Sentences of your own: [own-sentences.md](own-sentences.md).
"""


@dataclass(frozen=True, slots=True)
class Topic:
    """Sentences that belong together."""

    title: str
    intents: dict[str, tuple[str, ...]]
    """Intent → examples."""


def topics(language: str = "en") -> tuple[Topic, ...]:
    """The examples of a language. Raises FileNotFoundError where it has none."""
    file = resources.files("appliance.intents") / "data" / f"examples_{language}.yaml"
    rows = yaml.safe_load(file.read_text(encoding="utf-8"))
    return tuple(Topic(row["title"], {intent: tuple(says) for intent, says in row["intents"].items()}) for row in rows)


def shown() -> frozenset[str]:
    """The intents that need an example: done here, and meant by a sentence that stands alone."""
    return frozenset(LOCAL_INTENTS) - FOLLOW_UPS - ELSEWHERE


def page(language: str = "en") -> str:
    """The page as Markdown."""
    return "\n".join((HEAD, *_lines(language)))


def _lines(language: str) -> Iterator[str]:
    intents = own_sentences(language)["intents"]
    for topic in topics(language):
        yield f"## {topic.title}\n"
        for says in topic.intents.values():
            yield from (f'- "{text}"' for text in says)
        blocks = [block for name in topic.intents for block in intents.get(name, {"data": []})["data"]]
        forms = [form for block in blocks for form in block["sentences"]]
        yield f"\n<details><summary>{len(forms)} forms</summary>\n\n```"
        yield from forms
        yield "```\n\n</details>\n"


if __name__ == "__main__":
    sys.stdout.write(page())
