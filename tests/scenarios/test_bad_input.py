"""In: what owners get wrong, all at once, in a home of 5,000 names. Out: one warning each, and a command understood."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.bench.names import filled
from appliance.intents.home import load_home
from tests.shared import AUDIO, MODELS, needs_shared

pytestmark = [needs_shared, pytest.mark.timeout(120)]
HOME = AUDIO / "commands/home"
BROKEN = """language: en
intents:
  FeedCat:
    data:
      - sentences:
          - feed the cat
          - feed the (cat|dog
          - "set the {sign} mode"
lists:
  sign:
    values: ["☂☂"]
"""


def test_one_warning_each_and_the_rest_works(tmp_path: Path) -> None:
    home = filled(load_home(HOME / "home.json"), 5000)
    entities = [{"name": entity.name, "domain": entity.domain, "area": entity.area} for entity in home.entities]
    entities += [{"name": name, "domain": "light", "area": None} for name in ("☂☂", "⚡⚡", "🔥🔥")]
    house, sentences = tmp_path / "home.json", tmp_path / "mine.yaml"
    house.write_text(json.dumps({"area": "Kitchen", "areas": ["Kitchen"], "entities": entities}))
    sentences.write_text(BROKEN)
    words = ("replay", "--turn", "button", "--json", "--home", house, "--sentences", sentences, "--out", tmp_path / "out",
             "--set", f"models.mirror={MODELS}", "--set", "tts.warm=false", HOME / "lock the Front Door.flac")  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "appliance", *map(str, words)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    turn = json.loads(done.stdout.splitlines()[-1])
    assert (turn["intent"], turn["slots"].get("name")) == ("HassTurnOn", "Front Door"), turn
    for said in (f"{sentences}:7: ", f"{sentences}:8: ", "'☂☂', '⚡⚡', '🔥🔥' cannot be spoken"):
        assert done.stderr.count(said) == 1, (said, done.stderr)
