"""The hub's page without a browser: its files, its rings, and that nothing in it asks an outside host."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("starlette", reason="the hub's packages are an extra")

from appliance.events import State
from appliance.hub.page.rings import RING, rings
from appliance.hub.page.site import STATIC
from appliance.panel import patterns
from appliance.panel.scene import Scene

TEXTS = {
    path.name: path.read_text(encoding="utf-8") for path in STATIC.iterdir() if path.suffix in (".js", ".css", ".html")
}


def test_every_state_has_its_ring_drawn_by_the_panels_pattern() -> None:
    films = rings()["states"]
    assert isinstance(films, dict) and set(films) == {state.value for state in State}
    red, green, blue = patterns.frame(Scene(State.THINKING), 0.0, RING)[0]
    assert films["thinking"][0][:6] == f"{red:02x}{green:02x}{blue:02x}"
    assert len(films["idle"]) == 1 and len(films["listening"]) > 1


def test_nothing_comes_from_another_host() -> None:
    for name, text in TEXTS.items():
        found = [url for url in re.findall(r"https?://[^\s\"')]+", text) if not url.startswith("http://www.w3.org/")]
        assert found == [], name


def test_no_script_or_style_stands_in_the_page() -> None:
    page = TEXTS["index.html"]
    assert (
        not re.search(r"<script(?![^>]*\bsrc=)", page)
        and "<style" not in page
        and not re.search(r"\son\w+=|\sstyle=", page)
    )


def test_modules_that_are_imported_are_there_and_export_what_is_asked() -> None:
    for name, text in TEXTS.items():
        for names, module in re.findall(r'import (?:\{([^}]*)\}|\* as \w+) from "\./([\w.]+)"', text):
            assert module in TEXTS, f"{name} imports {module}"
            for each in filter(None, (part.strip() for part in names.split(","))):
                assert re.search(rf"export (?:async )?(?:function|const|let) {each}\b", TEXTS[module]), (
                    f"{name}: {module} has no {each}"
                )


def test_the_first_load_is_small() -> None:
    """Before compression; the budget of MEASURES is 100 kB of what goes over the wire."""
    assert sum(len(text.encode()) for text in TEXTS.values()) < 80_000
