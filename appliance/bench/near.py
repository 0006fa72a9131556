"""In: a folder of sentences beside the grammar. Out: how often something is done that was not said, and the contrary.

`labels.json`: recording → {"text", "may": {"intent", "slots"} or null}: the one meaning that may be done. Doing nothing,
asking back and telling a state are never wrong. Meaning and decision are the running program's (`intents.decide`).
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.bench.commands import SEED, ask
from appliance.bench.labels import Label
from appliance.bench.percentile import percentile
from appliance.bench.request import Request
from appliance.bench.result import SuiteResult
from appliance.errors import UsageError
from appliance.intents.decide import decide
from appliance.intents.home import Home, load_home
from appliance.intents.interpretation import Interpretation
from appliance.intents.recognise import REFUSAL, Interpreter
from appliance.intents.source import grammar_source
from appliance.settings.conversation import IntentSettings
from appliance.wire.stt import Transcript

HARMLESS = frozenset(
    (
        *("HassGetState", "HassNevermind", "HassGetCurrentTime", "HassGetCurrentDate", "HassGetWeather"),
        *("HassTimerStatus", "HassClimateGetTemperature", "HassListAddItem", "HassShoppingListAddItem"),
        *("ApplianceStatus", "ApplianceHelp"),
    )
)
"""Done by mistake, these change nothing in the home."""
UNITS_S = {"hours": 3600, "minutes": 60, "seconds": 1}
EDGES = [step / 10 for step in range(11)]
MOST_LISTED = 12


@dataclass(frozen=True, slots=True)
class NearLabel:
    """A recording, what is said in it, and the one meaning that may be done."""

    file: Path
    text: str
    may: Label | None

    def allows(self, intent: str, slots: Mapping[str, Any]) -> bool:
        """Whether this is the meaning that may be done. Timers are compared by their length."""
        if self.may is None:
            return False
        if self.may.intent == intent == "HassStartTimer":
            return _seconds(slots) == _seconds(self.may.slots)
        return self.may.right(intent, slots)


def run(request: Request) -> SuiteResult:
    """Measures; blocks for a tenth of the audio's length. Raises UsageError for a folder without labels."""
    folder = request.folder("near")
    labels = read(folder)[: request.limit]
    home_file = request.home or (folder / "home.json" if (folder / "home.json").exists() else None)
    home = load_home(home_file) if home_file else Home()
    limits = request.settings.intents.model_copy(update={"sentences": request.sentences})
    source = grammar_source(home, request.settings.device.language, limits)
    interpreter = Interpreter(source, home)
    details: list[dict[str, Any]] = []
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as place:
        jobs = [(Label(each.file, each.text, None, {}, None), None, SEED) for each in labels]
        answers = ask(request, source, Path(place), jobs)
        engine = next(answers)
        for label, answer in zip(labels, answers, strict=True):
            if "error" in answer:
                notes.append(str(answer["error"]))
            else:
                details.append(row(label, answer, interpreter, limits))
            request.progress(len(details), len(labels), label.file.name)
    notes += [f"{each['file']} “{each['said']}”: {each['taken']}" for each in details if each["wrong"]][:MOST_LISTED]
    notes.append(f"Engine {engine['ready']}; its grammar took {engine['compile_cpu_s']:.2f} s of CPU.")
    return SuiteResult("near", len(details), measures(details), details, tuple(notes))


def read(folder: Path) -> list[NearLabel]:
    """All labelled recordings, by name. Raises UsageError with one sentence naming the file."""
    file = folder / "labels.json"
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
        return [_label(folder / name, row) for name, row in sorted(table.items())]
    except OSError as error:
        raise UsageError("no-labels", f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise UsageError("bad-labels", f"{file} is not JSON of the form recording → text, may.") from error


def half(text: str) -> int:
    """0 or 1: the half that a sentence belongs to, whoever says it. Weights are fitted on half 0 and judged on half 1."""
    return hashlib.sha256(text.encode()).digest()[0] & 1


def row(label: NearLabel, answer: dict[str, Any], interpreter: Interpreter, limits: IntentSettings) -> dict[str, Any]:
    """What was heard in one recording, what it was taken for, what is done, and whether that may be."""
    heard = answer["transcript"]
    known = {name: heard[name] for name in ("text", "free_text", "confidence", "complete")}
    alternatives = tuple((str(text), float(sure)) for text, sure in heard["alternatives"])
    began_s = time.perf_counter()
    meant = decide(Transcript(**known, alternatives=alternatives), limits, interpreter.interpret)
    decided_ms = (time.perf_counter() - began_s) * 1000
    taken = meant is not None and acts(meant)
    allowed = meant is not None and label.allows(meant.intent, meant.slots)
    would = interpreter.interpret(heard["text"]) if heard["text"] else None
    return {
        "file": label.file.name,
        "said": label.text,
        "half": half(label.text),
        "text": heard["text"],
        "free_text": heard["free_text"],
        "intent": None if meant is None else meant.intent,
        "taken": "nothing" if meant is None else f"{meant.intent} {dict(meant.slots)}",
        "confidence": heard["confidence"] if heard["text"] else None,
        "wrong": bool(taken and not allowed and meant is not None and meant.intent not in HARMLESS),
        "right": not taken if label.may is None else bool(taken and allowed),
        "right_if_taken": would is not None and label.allows(would.intent, would.slots),
        "refused": meant is not None and meant.intent == REFUSAL,
        "asked": meant is not None and meant.question is not None,
        "wanted": None if label.may is None else label.may.intent,
        "confused": [f"{label.text} → {meant.text}"] if taken and not allowed and meant is not None else [],
        "kind": "nothing may be done",
        "accept_from": limits.accept_from,
        "decided_ms": decided_ms,
        **{name: answer[name] for name in ("audio_s", "cpu_s", "final_ms")},
    }


def acts(meant: Interpretation) -> bool:
    """Whether something is done now: not where the device asks back or refuses."""
    if meant.question is not None or meant.intent == REFUSAL:
        return False
    return meant.intent != "HassStartTimer" or _seconds(meant.slots) > 0


def measures(details: list[dict[str, Any]]) -> dict[str, float | None]:
    """Shares of all recordings, of those that may be done, and of each half."""
    found: dict[str, float | None] = {}
    for name, rows in (("", details), *((f".half{at}", [r for r in details if r["half"] == at]) for at in (0, 1))):
        possible = [each["right"] for each in rows if each["wanted"] is not None]
        found[f"near.wrong_rate{name}"] = _share(each["wrong"] for each in rows)
        found[f"near.right_of_possible{name}"] = _share(possible)
    audio_s = sum(each["audio_s"] for each in details)
    found["near.refused_rate"] = _share(each["refused"] for each in details)
    found["near.asked_rate"] = _share(each["asked"] for each in details)
    found["near.calibration_error"] = calibration_error(details)
    found["near.rtf"] = sum(each["cpu_s"] for each in details) / audio_s if audio_s else None
    found["near.final_ms.p95"] = percentile([each["final_ms"] for each in details], 95)
    found["near.decided_ms.p95"] = percentile([each["decided_ms"] for each in details], 95)
    return found


def reliability(details: Iterable[Mapping[str, Any]]) -> list[tuple[float, float, int]]:
    """(mean confidence, share right, readings) in each tenth of confidence that holds any."""
    tenths: dict[int, list[tuple[float, bool]]] = {}
    for each in details:
        if isinstance(sure := each.get("confidence"), int | float):
            tenths.setdefault(min(9, int(sure * 10)), []).append((sure, bool(each["right_if_taken"])))
    rows = [tenths[at] for at in sorted(tenths)]
    return [(sum(s for s, _ in r) / len(r), sum(y for _, y in r) / len(r), len(r)) for r in rows]


def calibration_error(details: Iterable[Mapping[str, Any]]) -> float | None:
    """Expected calibration error (Naeini et al. 2015): by how far confidence and share right differ, over ten bins."""
    bins = reliability(details)
    count = sum(n for _, _, n in bins)
    return sum(n * abs(sure - right) for sure, right, n in bins) / count if count else None


def confusions(details: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """'said → done instead' with how often, the most frequent first."""
    counted = Counter(pair for each in details for pair in each["confused"])
    return {pair: float(count) for pair, count in counted.most_common(MOST_LISTED)}


def _label(file: Path, row: Mapping[str, Any]) -> NearLabel:
    may = row["may"]
    text = str(row["text"])
    return NearLabel(file, text, None if may is None else Label(file, text, may["intent"], dict(may["slots"]), None))


def _seconds(slots: Mapping[str, Any]) -> float:
    return sum(float(slots.get(unit) or 0) * factor for unit, factor in UNITS_S.items())


def _share(yes: Iterable[bool]) -> float | None:
    found = list(yes)
    return sum(found) / len(found) if found else None
