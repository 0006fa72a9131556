"""List, fetch and verify the models of the catalogue; say where they lie."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from appliance.catalogue.catalogue import BEST_FIRST, Catalogue, read_catalogue
from appliance.catalogue.download import Progress as Report
from appliance.catalogue.entry import Entry
from appliance.catalogue.fetch import fetch
from appliance.catalogue.mirror import Mirror
from appliance.catalogue.store import Store, model_dir
from appliance.catalogue.wake import package_dir, wake_from
from appliance.cli.table import table
from appliance.errors import ModelError, UsageError
from appliance.settings import Settings, load

EXAMPLE = "appliance models fetch --profile standard"
DEFAULT_PROFILE = "standard"
"""What `fetch` gets from the network when neither the settings nor the command name a profile."""

WIDE = 120
"""Columns of a terminal that takes the whole table."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=tuple(ACTIONS), help="what to do")
    parser.add_argument("names", nargs="*", metavar="NAME", help="models; without one those of the profile")
    parser.add_argument("--profile", choices=BEST_FIRST, help="profile instead of the settings' own")
    parser.add_argument("--language", help="language instead of the device's own (BCP 47)")
    parser.add_argument("--mirror", type=Path, metavar="DIR", help="take files from this folder, not from the network")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    assignments = list(args.assignments)
    for name, value in (
        ("models.profile", args.profile),
        ("device.language", args.language),
        ("models.mirror", args.mirror),
    ):
        if value is not None:
            assignments.append(f"{name}={json.dumps(str(value))}")
    settings, _ = load(args.config, assignments)
    return int(ACTIONS[args.action](settings, args))


def _list(settings: Settings, args: argparse.Namespace) -> int:
    catalogue, store = read_catalogue(), Store(model_dir(settings))
    entries = _named(catalogue, args.names) or list(catalogue.models.values())
    if args.language:
        primary = settings.device.language.split("-")[0]
        entries = [entry for entry in entries if entry.language in (primary, "und")]
    if args.profile:
        wanted = catalogue.of_profile(args.profile, settings.device.language)
        entries = [entry for entry in entries if entry in wanted]
    rows = [_row(catalogue, entry, store) for entry in entries]
    if args.json:
        print(json.dumps(rows, indent=2))
        return 0
    _print(rows)
    return 0


def _print(rows: list[dict[str, Any]]) -> None:
    """A table; a narrow terminal gets the columns that a choice is made by."""
    console = Console()
    wide = console.width >= WIDE
    headings = ("stage", "profiles", "download", "here") + (("language", "memory", "licence", "tested") if wide else ())
    made = table("model", *headings)
    made.columns[0].min_width = max((len(row["name"]) for row in rows), default=0)
    for row in rows:
        size = f"{row['download_bytes'] / 1e6:.1f} MB" if row["downloadable"] else "mirror only"
        memory = f"{'' if row['tested'] else '~'}{row['memory_mb']} MB"
        more = (row["language"], memory, row["licence"], _mark(row["tested"])) if wide else ()
        made.add_row(row["name"], row["stage"], ", ".join(row["profiles"]), size, row["state"], *more)
    console.print(made)


def _row(catalogue: Catalogue, entry: Entry, store: Store) -> dict[str, Any]:
    profiles = [p.name for p in catalogue.profiles.values() if entry.name in (*p.stt.values(), *p.tts.values(), p.vad)]
    facts = entry.model_dump(include={"name", "stage", "kind", "language", "licence", "memory_mb", "tested", "note"})
    return {
        **facts,
        "profiles": profiles,
        "downloadable": entry.downloadable,
        "download_bytes": entry.download_bytes if entry.downloadable else None,
        "state": _state(entry, store),
    }


def _state(entry: Entry, store: Store) -> str:
    if store.has(entry):
        return "fetched"
    folder = package_dir() if entry.stage == "wake" else None
    return "installed" if folder is not None and wake_from(folder, entry.name) is not None else "-"


def _fetch(settings: Settings, args: argparse.Namespace) -> int:
    catalogue, store = read_catalogue(), Store(model_dir(settings))
    mirror = Mirror(settings.models.mirror) if settings.models.mirror else None
    entries = _named(catalogue, args.names) or _wanted(catalogue, settings, mirror)
    with _bars() as report:
        done = [fetch(entry, store, mirror, report) for entry in entries]
    if args.json:
        print(json.dumps([model.tree() for model in done], indent=2))
    else:
        for model in done:
            print(f"{model.name}: {store.root / model.name}")
    return 0


def _wanted(catalogue: Catalogue, settings: Settings, mirror: Mirror | None) -> list[Entry]:
    """The models that these settings need and no package brings."""
    profile: str = settings.models.profile
    language = settings.device.language
    if profile == "auto":
        profile = _mirrored_profile(catalogue, language, mirror) if mirror else DEFAULT_PROFILE
    entries = {entry.stage: entry for entry in catalogue.of_profile(profile, language)}
    if "stt" not in entries or "tts" not in entries:
        raise ModelError("no-language", f"Profile '{profile}' has no models for language '{language}'.")
    if settings.stt.model:
        entries["stt"] = catalogue.entry(settings.stt.model, "stt")
    if settings.tts.voice:
        entries["tts"] = catalogue.entry(settings.tts.voice, "tts")
    folders = [folder for folder in (settings.wake.model_dir, package_dir()) if folder is not None]
    words = settings.wake.words if settings.wake.engine == "microwakeword" else ()
    missing = [word for word in words if not any(wake_from(folder, word) for folder in folders)]
    return [*entries.values(), *(catalogue.entry(word, "wake") for word in missing)]


def _mirrored_profile(catalogue: Catalogue, language: str, mirror: Mirror) -> str:
    for name in BEST_FIRST:
        entries = catalogue.of_profile(name, language)
        if len(entries) == 3 and all(mirror.has(entry) for entry in entries):
            return name
    raise ModelError("not-in-mirror", f"The mirror {mirror.root} holds no whole profile for language '{language}'.")


def _verify(settings: Settings, args: argparse.Namespace) -> int:
    catalogue, store = read_catalogue(), Store(model_dir(settings))
    entries = _named(catalogue, args.names) or [entry for entry in catalogue.models.values() if store.has(entry)]
    rows = [{"name": entry.name, "error": _verified(entry, store)} for entry in entries]
    if args.json:
        print(json.dumps(rows, indent=2))
    else:
        for row in rows:
            print(f"{row['name']}: {row['error'] or 'whole'}")
        if not rows:
            print(f"No model is in {store.root}.")
    return 1 if any(row["error"] for row in rows) else 0


def _verified(entry: Entry, store: Store) -> str | None:
    try:
        store.open(entry, rehash=True)
    except ModelError as error:
        return error.message
    return None


def _path(settings: Settings, args: argparse.Namespace) -> int:
    store = Store(model_dir(settings))
    entries = _named(read_catalogue(), args.names)
    for entry in entries:
        if not store.has(entry):
            raise ModelError("not-fetched", f"{entry.name} is not in {store.root}; `appliance models fetch` gets it.")
    paths = [str(store.folder(entry)) for entry in entries] or [str(store.root)]
    print(json.dumps(paths) if args.json else "\n".join(paths))
    return 0


def _named(catalogue: Catalogue, names: list[str]) -> list[Entry]:
    for name in names:
        if name not in catalogue.models:
            raise UsageError(
                "unknown-model", f"The catalogue has no model '{name}'; `appliance models list` shows all."
            )
    return [catalogue.models[name] for name in names]


def _mark(yes: bool) -> str:
    return "yes" if yes else "no"


@contextmanager
def _bars() -> Iterator[Report]:
    """Progress bars on standard error, one a file."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def report(name: str, done_bytes: int, total_bytes: int | None) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=total_bytes)
            progress.update(tasks[name], completed=done_bytes, total=total_bytes)

        yield report


ACTIONS = {"list": _list, "fetch": _fetch, "verify": _verify, "path": _path}
