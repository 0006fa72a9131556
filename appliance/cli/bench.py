"""Measure suites against their budgets."""

from __future__ import annotations

import argparse
import json
import textwrap
from dataclasses import replace
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from appliance import catalogue
from appliance.bench.parts import ALL as ALL_PARTS
from appliance.bench.parts import PARTS
from appliance.bench.pictures import pictures
from appliance.bench.plan import everything
from appliance.bench.record import Judged, Record, record
from appliance.bench.report import page, standalone
from appliance.bench.request import Request
from appliance.bench.suites import SUITES
from appliance.cli.run import log_to_stderr
from appliance.errors import ModelError, UsageError
from appliance.settings import Settings
from appliance.settings import load as load_settings
from appliance.wire.child import Models

EXAMPLE = "appliance bench latency --data recordings/ --report latency.html"
HELP_WIDTH = 66


def _suite_lines() -> str:
    """The suites as a table for --help, whole at 80 columns."""
    lines = ["suites:"]
    for name, suite in SUITES.items():
        first, *rest = textwrap.wrap(suite.help, HELP_WIDTH)
        lines += [f"  {name:<11}{first}", *(f"  {'':<11}{line}" for line in rest)]
    return "\n".join(lines) + "\n\n"


EPILOGUE = _suite_lines()
ALL = "all"
WIDTH = 120
"""Columns where no terminal tells how many it has: names of measures shall not be cut."""
COLOURS = {"met": "green", "warning": "yellow", "critical": "bold red"}


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "suites",
        nargs="+",
        choices=(*SUITES, ALL),
        metavar="SUITE",
        help=f"what to measure, one or more; {ALL}: every one of them, with --data a folder that holds a folder a kind",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="recordings, or a text file for tts")
    parser.add_argument("--noise", type=Path, metavar="FILE", help="noise to mix into the recordings")
    parser.add_argument("--snr", type=float, nargs="+", action="extend", default=[], metavar="DB",
                        help="speech over noise, loudest 2048-sample frames")  # fmt: skip
    parser.add_argument("--limit", type=_count, metavar="N", help="at most so many recordings or runs")
    parser.add_argument("--seconds", type=_seconds, metavar="S", help="idle: how long it is watched")
    parser.add_argument("--word", metavar="WORD", help="wake: the wake word, a folder of --data")
    parser.add_argument("--negatives", type=Path, nargs="+", action="extend", default=[], metavar="DIR",
                        help="wake: more recordings that hold no wake word")  # fmt: skip
    parser.add_argument("--home", type=Path, metavar="FILE", help="rooms and device names, JSON")
    parser.add_argument("--sentences", type=Path, nargs="+", action="extend", default=[], metavar="FILE",
                        help="sentences of your own, hassil YAML")  # fmt: skip
    parser.add_argument("--names", type=_count, metavar="N",
                        help="commands: fill the home with made-up devices up to so many names")  # fmt: skip
    parser.add_argument("--turn", choices=("button", "wake"), default="button", help="latency: what opens each turn")
    parser.add_argument("--without", nargs="+", action="extend", default=[], metavar="PART",
                        choices=(*PARTS, ALL_PARTS),
                        help=f"latency: once more without each of these: {', '.join(PARTS)}; {ALL_PARTS}")  # fmt: skip
    parser.add_argument("--outside", action="store_true",
                        help="latency: listen at the loudspeaker of a virtual card, too, and say the difference")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object, a list of them for several suites")
    parser.add_argument("--report", type=Path, metavar="FILE.html", help="write a page with pictures")
    parser.add_argument("--picture", type=Path, metavar="FILE.svg",
                        help="write the first suite's first picture alone; of latency: the median turn")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """0 where every suite could be run, whatever the verdicts: they are results, not failures."""
    _check(args)
    settings, _ = load_settings(args.config, args.assignments)
    if settings.device.log_level == "INFO":  # a line a stage is for the journal of a device, not for a table
        device = settings.device.model_copy(update={"log_level": "ERROR"})
        settings = settings.model_copy(update={"device": device})
    log_to_stderr(settings.device.log_level)
    models = catalogue.resolve(settings)
    if models.problems:  # a figure of the next best model would be taken for this one's
        raise ModelError("bad-file", models.problems[0])
    request = _request(args, settings, models)
    suites = everything(request) if ALL in args.suites else [(suite, request) for suite in dict.fromkeys(args.suites)]
    console, errors = Console(), Console(stderr=True)
    if not console.is_terminal:
        console = Console(width=WIDTH)
    records = []
    for suite, wanted in suites:
        records.append(_measure(suite, wanted, errors))
        if not args.json:
            show(records[-1], console)
    if args.json:
        tables = [found.table() for found in records]
        print(json.dumps(tables[0] if len(suites) == 1 else tables, ensure_ascii=False))
    if args.report is not None:
        _write(args.report, page(records))
        errors.print(f"The report is in {args.report}.", style="dim")
    if args.picture is not None:
        drawn = pictures(records[0].result)
        if not drawn:
            raise UsageError("no-picture", f"--picture: there is nothing to draw of {suites[0]}.")
        _write(args.picture, standalone(drawn[0]))
    return 0


def _request(args: argparse.Namespace, settings: Settings, models: Models) -> Request:
    return Request(
        settings=settings,
        models=models,
        data=args.data,
        noise=args.noise,
        snr_db=tuple(args.snr),
        limit=args.limit,
        seconds=args.seconds,
        word=args.word,
        negatives=tuple(args.negatives),
        home=args.home,
        sentences=tuple(args.sentences),
        names=args.names,
        without=tuple(dict.fromkeys(args.without)),
        outside=args.outside,
        turn=args.turn,
        run_arguments=_run_arguments(args),
    )


def _run_arguments(args: argparse.Namespace) -> tuple[str, ...]:
    config = () if args.config is None else ("--config", str(args.config))
    return (*config, *(part for assignment in args.assignments for part in ("--set", assignment)))


def _measure(suite: str, request: Request, errors: Console) -> Record:
    """Runs a suite behind a progress bar, where standard error is a terminal."""
    columns = (TextColumn("[bold]{task.fields[suite]}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
               TextColumn("{task.description}"))  # fmt: skip
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("", total=None, suite=suite)

        def progress(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=what)

        return record(SUITES[suite].run(replace(request, progress=progress)), request.models)


def show(found: Record, console: Console) -> None:
    """The suite's measures beside their budgets, then what a reader must know."""
    table = Table(
        title=f"{found.result.suite}, n = {found.result.n}", title_justify="left", title_style="bold", box=SIMPLE_HEAD
    )
    projected = any(row.pi5 is not None for row in found.judged)
    table.add_column("measure", no_wrap=True)
    for column in ("value", "target", "beyond"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    if projected:
        table.add_column("Pi 5", justify="right", no_wrap=True)
    for row in found.judged:
        table.add_row(*_cells(row)[: len(table.columns)])
    console.print(table)
    for note in found.result.notes:
        console.print(Text(f"· {note}"))
    about = found.machine
    console.print(f"{about['cpu']}, {about['cores']} cores, Python {about['python']}, load {about['load_1min']}; "
                  f"Raspberry Pi 5 projection: {about['pi5_projection']}.", style="dim")  # fmt: skip


def _cells(row: Judged) -> list[str | Text]:
    budget, verdict = row.budget, row.verdict
    sign = "" if budget is None else "≤ " if budget.direction.value == "at most" else "≥ "
    return [
        row.name,
        number(row.value),
        "" if budget is None else f"{sign}{number(budget.target)}",
        "" if budget is None or budget.goal is None else f"{sign}{number(budget.goal)}",
        "" if verdict is None else Text(verdict, style=COLOURS[verdict]),
        "" if row.pi5 is None else number(row.pi5),
    ]


def number(value: float | None) -> str:
    """Three or four figures that count, never an exponent; '–' for what could not be measured."""
    if value is None:
        return "–"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:.0f}"
    places = 1 if abs(value) >= 100 else 2 if abs(value) >= 1 else 4
    return f"{value:.{places}f}".rstrip("0").rstrip(".")


def _check(args: argparse.Namespace) -> None:
    if args.data is not None and not args.data.exists():
        raise UsageError("no-data", f"--data {args.data}: there is no such file or folder.")
    if bool(args.snr) != (args.noise is not None):
        raise UsageError("half-noise", "--noise FILE and --snr DB… belong together.")
    for name in ("noise", "home"):
        file = getattr(args, name)
        if file is not None and not file.is_file():
            raise UsageError("no-file", f"--{name} {file}: there is no such file.")
    for folder in args.negatives:
        if not folder.is_dir():
            raise UsageError("no-folder", f"--negatives {folder}: there is no such folder.")


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError("no-report", f"--report {file}: {error.strerror}.") from error


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 1 <= value <= 86400:
        raise argparse.ArgumentTypeError("must be 1 to 86400")
    return value
