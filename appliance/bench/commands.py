"""In: a folder of spoken commands with labels. Out: how many are understood, by noise, and what is refused.

Text becomes an intent as in the running program; the recogniser runs in a process of its own
(`appliance.engines.stt.measure`), as all native libraries do.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from appliance.bench.labels import Label, read_labels
from appliance.bench.names import filled
from appliance.bench.percentile import percentile
from appliance.bench.request import Request
from appliance.bench.result import SuiteResult
from appliance.errors import SttError, UsageError
from appliance.grammar.lexicon.spoken import letters, ways
from appliance.grammar.source import GrammarSource
from appliance.intents.home import Home, load_home
from appliance.intents.recognise import Interpreter
from appliance.intents.source import grammar_source
from appliance.wire.child import ChildConfig

SEED = 7
AUDIO = {".flac", ".wav", ".ogg"}
MOST_ANSWER_S = 120.0
"""The first answer takes the model and the grammar (5,000 names: 2 s), each other one a recording, of 60 s at the most."""


def run(request: Request) -> SuiteResult:
    """Measures; blocks for a tenth of the audio's length. Raises UsageError for a folder without labels."""
    folder = request.folder("commands")
    if bool(request.noise) != bool(request.snr_db):
        raise UsageError("bad-noise", "--noise and --snr belong together.")
    labels = [*read_labels(folder)[: request.limit], *_foreign(request)]
    home_file = request.home or (folder / "home.json" if (folder / "home.json").exists() else None)
    home = load_home(home_file) if home_file else Home()
    if request.names is not None:
        home = filled(home, request.names)
    intents = request.settings.intents.model_copy(update={"sentences": request.sentences})
    source = grammar_source(home, request.settings.device.language, intents)
    began_s = time.process_time()
    interpreter = Interpreter(source, home)
    text_side_s = time.process_time() - began_s
    jobs = [(label, snr_db, SEED + n) for snr_db in (None, *request.snr_db) for n, label in enumerate(labels)]
    details: list[dict[str, Any]] = []
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as place:
        answers = ask(request, source, Path(place), jobs)
        engine = next(answers)
        for (label, snr_db, _), answer in zip(jobs, answers, strict=True):
            if "error" in answer:
                notes.append(str(answer["error"]))
            else:
                details.append(_judge(label, snr_db, answer, interpreter, intents.accept_from))
            request.progress(len(details), len(jobs), label.file.name)
    notes.append(
        f"Engine {engine['ready']}, {len(home.entities)} names; its grammar was ready after {engine['prepare_ms']:.0f} ms "
        f"({engine['compile_cpu_s']:.2f} s of CPU), the text side's after {text_side_s:.2f} s of CPU."
    )
    variant = "coffee" if request.sentences else ""
    measures = _measures(details) | of_engine(engine, details)
    return SuiteResult("commands", len(details), measures, details, tuple(notes), variant)


def _foreign(request: Request) -> Iterator[Label]:
    """Recordings in `--negatives` folders: whatever they hold has to be refused."""
    for folder in request.negatives:
        for file in sorted(file for file in folder.rglob("*") if file.suffix.lower() in AUDIO)[: request.limit]:
            yield Label(file, None, None, {}, None)


def ask(
    request: Request, source: GrammarSource, place: Path, jobs: Sequence[tuple[Label, float | None, int]]
) -> Iterator[dict[str, Any]]:
    """The recogniser's lines. Raises SttError with its own sentence or the last line of its log."""
    config = ChildConfig(settings=request.settings, models=request.models)
    asked = {
        "config": config.tree(),
        "grammar": str(source.write(place)),
        "noise": None if request.noise is None else str(request.noise),
        "jobs": [{"file": str(label.file), "snr_db": snr_db, "seed": seed} for label, snr_db, seed in jobs],
    }
    question = place / "question.json"
    question.write_text(json.dumps(asked), encoding="utf-8")
    with question.open("rb") as given, (place / "log").open("w+b") as log:
        command = [sys.executable, "-m", "appliance.engines.stt.measure"]
        with subprocess.Popen(command, bufsize=0, stdin=given, stdout=subprocess.PIPE, stderr=log) as process:
            try:
                for line in _lines(process):
                    answer = json.loads(line)
                    if "error" in answer and "file" not in answer:
                        raise SttError("measure-failed", str(answer["error"]))
                    yield answer
            finally:
                process.kill()
        if process.returncode not in (0, -9):
            log.seek(0)
            last = log.read().decode(errors="replace").strip().splitlines()[-1:]
            raise SttError("measure-failed", f"The recogniser ended: {' '.join(last)}")


def _lines(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """What `process` (unbuffered) prints. Raises SttError where it prints nothing for MOST_ANSWER_S."""
    assert process.stdout is not None
    while select.select([process.stdout], [], [], MOST_ANSWER_S)[0]:
        if not (line := process.stdout.readline()):
            return
        yield line
    raise SttError("measure-hung", f"The recogniser gave nothing for {MOST_ANSWER_S:.0f} s.")


def of_engine(engine: dict[str, Any], details: list[dict[str, Any]]) -> dict[str, float | None]:
    """What the recogniser's grammar costs; memory is the process's own, without what reading recordings takes."""
    last = max((row["pss_mb"] for row in details if row["pss_mb"] is not None), default=None)
    return {
        "commands.compile_cpu_s": engine["compile_cpu_s"],
        "commands.loaded_mb": engine["loaded_mb"],
        "commands.ready_mb": engine["ready_mb"],
        "commands.pss_mb": last,
    }


def _judge(
    label: Label, snr_db: float | None, answer: dict[str, Any], interpreter: Interpreter, accept_from: float
) -> dict[str, Any]:
    """One row: what was heard, what it was taken for, whether that is right."""
    heard = answer["transcript"]
    sure = heard["confidence"] is None or heard["confidence"] >= accept_from
    reading = interpreter.interpret(heard["text"]) if heard["text"] else None
    meant = reading if sure else None
    slots = {} if meant is None else dict(meant.slots)
    intent = None if meant is None else meant.intent
    return {
        "file": label.file.name,
        "snr_db": snr_db,
        "wanted": label.intent,
        "said": label.text,
        "text": heard["text"],
        "free_text": heard["free_text"],
        "intent": intent,
        "confidence": heard["confidence"] if heard["text"] else None,
        "kind": label.file.parent.name,
        "accept_from": accept_from,
        "right": label.right(intent, slots),
        "right_if_taken": reading is not None and label.right(reading.intent, reading.slots),
        "confused": [] if label.intent is None else label.confused(intent, slots),
        "wrong_words": None if label.text is None else _distance(_words(label.text), _words(heard["text"])),
        "words": None if label.text is None else len(_words(label.text)),
        **{name: answer[name] for name in ("audio_s", "cpu_s", "final_ms", "pss_mb")},
    }


def _words(text: str) -> list[str]:
    said = ways(text, "en")
    return (said[0] if said else letters(text)).split()


def _distance(wanted: list[str], found: list[str]) -> int:
    """Words to insert, delete or replace."""
    row = list(range(len(found) + 1))
    for at, word in enumerate(wanted, 1):
        before, row[0] = row[0], at
        for other, heard in enumerate(found, 1):
            before, row[other] = row[other], min(row[other] + 1, row[other - 1] + 1, before + (word != heard))
    return row[-1]


def _measures(details: list[dict[str, Any]]) -> dict[str, float | None]:
    clean = [row for row in details if row["snr_db"] is None]
    noisy = [row for row in details if row["snr_db"] is not None and row["wanted"] is not None]
    spoken = [row for row in clean if row["words"]]
    audio_s = sum(row["audio_s"] for row in details)
    measures = {
        "commands.right_rate": _share([row["right"] for row in clean if row["wanted"] is not None]),
        "commands.rejected_rate": _share([row["intent"] is None for row in details if row["wanted"] is None]),
        "commands.wer": sum(r["wrong_words"] for r in spoken) / sum(r["words"] for r in spoken) if spoken else None,
        "commands.rtf": sum(row["cpu_s"] for row in details) / audio_s if audio_s else None,
        "commands.final_ms.p50": percentile([row["final_ms"] for row in details], 50),
        "commands.final_ms.p95": percentile([row["final_ms"] for row in details], 95),
    }
    if noisy:
        measures["commands.right_rate@noise"] = _share([row["right"] for row in noisy])
    for snr_db in dict.fromkeys(row["snr_db"] for row in noisy):
        measures[f"commands.right_rate@{snr_db:g}db"] = _share([r["right"] for r in noisy if r["snr_db"] == snr_db])
    return measures


def _share(yes: list[bool]) -> float | None:
    return sum(yes) / len(yes) if yes else None
