"""The home server's side: a live page of all devices, their history, and their metrics for Prometheus."""

from __future__ import annotations

import argparse
import asyncio
import logging
from pathlib import Path

from pydantic import ValidationError

from appliance.errors import SettingsError, UsageError
from appliance.settings import load
from appliance.settings.hub import HubSettings

EXAMPLE = "appliance hub --listen 127.0.0.1:8725 --mqtt mqtt://127.0.0.1:1883 --data /var/lib/appliance-hub"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--listen", metavar="HOST:PORT", help="address of the page (hub.listen)")
    parser.add_argument("--mqtt", metavar="URL", help="the broker: mqtt://USER@HOST:PORT or mqtts://… (hub.mqtt)")
    parser.add_argument("--data", metavar="DIR", type=Path, help="folder of history and users (hub.data_dir)")
    what = parser.add_subparsers(dest="hub_command", metavar="top|rules|dashboards|backup|restore|simulate")
    top = what.add_parser("top", help="the fleet in the terminal, live")
    top.add_argument("--once", action="store_true", help="print it once and end")
    top.add_argument("--json", action="store_true", help="print the cards once as JSON")
    rules = what.add_parser("rules", help="Prometheus' alert rules, made from the table of budgets")
    rules.add_argument("--page", metavar="URL", help="the hub's address as people open it (default http://hub.listen)")
    boards = what.add_parser("dashboards", help="Grafana's dashboards as JSON files")
    boards.add_argument("folder", type=Path, metavar="DIR", help="where the files are written")
    backup = what.add_parser("backup", help="copies the history into one file, while the hub runs")
    backup.add_argument("file", type=Path, metavar="FILE")
    restore = what.add_parser("restore", help="puts a copy in place of the history; the hub must not run")
    restore.add_argument("file", type=Path, metavar="FILE")
    simulate = what.add_parser("simulate", help="a fleet of real MQTT clients")
    simulate.add_argument("--devices", type=int, default=50, metavar="N", help="how many (default 50)")
    simulate.add_argument("--rate", type=float, default=0.1, metavar="PER_SECOND", help="metrics a second and device")
    simulate.add_argument("--seconds", type=float, default=0.0, metavar="S", help="how long; 0: until interrupted")
    simulate.add_argument("--mqtt", metavar="URL", dest="simulate_mqtt", help="the broker (hub.mqtt)")
    simulate.add_argument("--turns", type=float, default=0.02, metavar="PER_SECOND", help="turns a second and device")
    simulate.add_argument("--faults", type=int, default=0, metavar="N", help="so many of the devices are sick")
    simulate.add_argument("--first", type=int, default=0, metavar="N", help="number of the first device")
    simulate.add_argument("--seed", type=int, default=1, help="of everything that is drawn by lot")
    simulate.add_argument("--json", action="store_true", help="print what was sent as JSON at the end")


def run(args: argparse.Namespace) -> int:
    settings, _ = load(args.config, args.assignments)
    hub = _with_flags(settings.hub, args)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    if args.hub_command is not None:
        return _COMMANDS[args.hub_command](hub, args)
    from appliance.hub.app import serve

    asyncio.run(serve(hub))
    return 0


def _with_flags(hub: HubSettings, args: argparse.Namespace) -> HubSettings:
    """The section with what the command line says. Raises SettingsError with one sentence."""
    flags = {"listen": args.listen, "mqtt": getattr(args, "simulate_mqtt", None) or args.mqtt, "data_dir": args.data}
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return HubSettings.model_validate({**hub.model_dump(), **given})
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(
            "bad-value", f"hub.{first['loc'][0] if first['loc'] else 'listen'}: {first['msg']}."
        ) from error


def _simulate(hub: HubSettings, args: argparse.Namespace) -> int:
    from appliance.hub.reception.url import broker_url
    from appliance.hub.simulate.fleet import Plan, simulate

    plan = Plan(
        devices=args.devices, rate_hz=args.rate, turns_hz=args.turns, seconds=args.seconds, faults=args.faults,
        first=args.first, seed=args.seed, prefix=hub.prefix,
    )  # fmt: skip
    sent = simulate(broker_url(hub.mqtt, hub.mqtt_password_file, hub.mqtt_ca_file), plan)
    if args.json:
        import json

        print(json.dumps(sent))
    return 0


def _top(hub: HubSettings, args: argparse.Namespace) -> int:
    from appliance.hub.top import as_json, follow, table

    page = f"http{'s' if hub.tls_cert_file else ''}://{hub.listen}"
    if args.json:
        print(as_json(page))
    elif args.once:
        from rich.console import Console

        Console().print(table(page))
    else:
        follow(page)
    return 0


def _rules(hub: HubSettings, args: argparse.Namespace) -> int:
    from appliance.hub.prometheus.rules import text

    print(text(args.page.rstrip("/") if args.page else f"http://{hub.listen}"), end="")
    return 0


def _dashboards(_hub: HubSettings, args: argparse.Namespace) -> int:
    import json

    from appliance.hub.prometheus.dashboards import dashboards

    try:
        args.folder.mkdir(parents=True, exist_ok=True)
        for name, dashboard in dashboards().items():
            (args.folder / name).write_text(json.dumps(dashboard, indent=1) + "\n", encoding="utf-8")
            print(args.folder / name)
    except OSError as error:
        raise UsageError("no-folder", f"{args.folder} cannot be written: {error.strerror}.") from error
    return 0


def _backup(hub: HubSettings, args: argparse.Namespace) -> int:
    from appliance.hub.store.copy import backup

    print(f"{args.file}: {backup(hub.data_dir, args.file) / 1e6:.1f} MB")
    return 0


def _restore(hub: HubSettings, args: argparse.Namespace) -> int:
    from appliance.hub.store.copy import restore

    restore(hub.data_dir, args.file)
    print(f"The history of {hub.data_dir} is now {args.file}; the one before it lies beside it.")
    return 0


_COMMANDS = {
    "simulate": _simulate, "top": _top, "rules": _rules, "dashboards": _dashboards, "backup": _backup,
    "restore": _restore,
}  # fmt: skip
