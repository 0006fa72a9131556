"""In: `python3 -I updater.pyz COMMAND`. Out: the device's release changed, or one sentence why not; exit 0, 1, 2."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from appliance.errors import ApplianceError, UpdateError
from appliance.update import manifest
from appliance.update.disk import RealDisk, write_whole
from appliance.update.install import PipInstaller, run
from appliance.update.layout import Layout
from appliance.update.lock import only_one
from appliance.update.records import Result, encode
from appliance.update.service import SystemdService, settings_of, verdict_code
from appliance.update.updater import Updater

EXAMPLE = "python3 -I /opt/appliance/updater.pyz apply /opt/appliance/incoming/1.2.0"
MOST_ARCHIVE_BYTES = 4_000_000_000
SELF_CHECK_S = 30.0
INCOMING = "incoming"
"""An archive is unpacked here, and is gone with the verdict."""


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="updater", description="The device's own updater.", epilog=f"example: {EXAMPLE}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    apply = commands.add_parser("apply", help="install a signed release: a folder, or a .tar of it")
    apply.add_argument("source", type=Path)
    apply.add_argument("--force", action="store_true", help="even if it is not newer than what runs")
    back = commands.add_parser("rollback", help="go back to a release that is still here")
    back.add_argument("version", nargs="?", help="without one: the newest other one")
    commands.add_parser("verify", help="check a release's signature and hashes").add_argument("source", type=Path)
    settle = commands.add_parser("settle", help="take back what is unconfirmed (units of systemd call this)")
    settle.add_argument("--boot", action="store_true", help="before the program starts: counts the start")
    commands.add_parser("status", help="what runs, what is here, how the last update ended; JSON")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    layout = Layout()
    try:
        if args.command == "status":
            print(json.dumps(status(layout), indent=1))  # noqa: T201 - a command's output
            return 0
        if os.geteuid() != 0:
            raise UpdateError("not-root", "Only root can change the release of this device.")
        if args.command == "verify":
            manifest.check_target(manifest.read(args.source, layout.signers))
            return 0
        return _change(args, layout)
    except ApplianceError as error:
        sys.stderr.write(f"updater: {error}\n")
        return error.exit_code


def _change(args: argparse.Namespace, layout: Layout) -> int:
    updater = _updater(layout)
    try:
        with only_one(layout.lock):
            if args.command == "settle":
                updater.settle(boot=args.boot)
                return 0
            if args.command == "rollback":
                return verdict_code(updater.back_to(args.version or _other(updater)).outcome)
            try:
                source = _folder(args.source, layout)
                result = updater.apply(source, lambda source: _believed(source, layout), args.force)
            finally:
                RealDisk().remove(layout.records / INCOMING)
            if result.outcome == "confirmed":
                _renew_updater(layout)
            return verdict_code(result.outcome)
    except UpdateError as error:
        if args.command == "settle" and error.code == "busy":
            return 0  # the updater lives; its own deadlines hold
        if args.command == "apply" and error.code != "busy":
            _tell_refused(layout, Result(args.source.name, "refused", updater.current(), (error.message,)))
        raise
    except OSError as error:
        raise UpdateError("disk", f"The machine refused: {error.strerror or error}.") from error


def _tell_refused(layout: Layout, result: Result) -> None:
    with contextlib.suppress(OSError):  # a full disk; the exit code and the log say it, too
        layout.records.mkdir(parents=True, exist_ok=True)
        write_whole(RealDisk(), layout.result, encode(result))


def status(layout: Layout) -> dict[str, object]:
    updater = _updater(layout)
    pending, result = updater.pending(), updater.result()
    return {
        "current": updater.current(),
        "releases": updater.releases(),
        "pending": asdict(pending) if pending else None,
        "result": asdict(result) if result else None,
    }


def _updater(layout: Layout) -> Updater:
    def say(text: str) -> None:
        print(text, flush=True)  # noqa: T201 - its log; journald adds the time

    return Updater(layout, RealDisk(), SystemdService(layout, settings_of(layout), say), PipInstaller(layout), say)


def _believed(source: Path, layout: Layout) -> manifest.Manifest:
    found = manifest.read(source, layout.signers)
    manifest.check_target(found)
    return found


def _folder(source: Path, layout: Layout) -> Path:
    """An archive is unpacked beside the records; only plain files below it are taken."""
    if source.is_dir():
        return source
    if not source.is_file():
        raise UpdateError("no-release", f"There is no release at {source}.")
    target, disk = layout.records / INCOMING, RealDisk()
    disk.remove(target)
    try:
        with tarfile.open(source) as archive:
            members = archive.getmembers()
            if sum(member.size for member in members) > MOST_ARCHIVE_BYTES:
                raise UpdateError("bad-release", "The release unpacks to more than 4 GB.")
            for member in members:
                # `tar -C FOLDER .` begins names with "./".
                named = member.name == "." or manifest.NAME.fullmatch(member.name.removeprefix("./"))
                if not (named and (member.isdir() or member.isfile())):
                    raise UpdateError("bad-release", f"The archive holds '{member.name[:80]}', which it must not.")
            archive.extractall(target, members)
    except (tarfile.TarError, OSError) as error:
        raise UpdateError("bad-release", f"The archive {source.name} cannot be unpacked: {error}.") from error
    return target


def _other(updater: Updater) -> str:
    others = [version for version in updater.releases() if version != updater.current()]
    if not others:
        raise UpdateError("no-release", "There is no other release on this device to go back to.")
    last = updater.result()
    return last.runs if last and last.runs in others else others[-1]


def _renew_updater(layout: Layout) -> None:
    """The confirmed release's updater takes this one's place, once it has shown that it runs."""
    new = layout.current / "updater.pyz"
    if not new.is_file() or (layout.updater.is_file() and new.read_bytes() == layout.updater.read_bytes()):
        return
    run([sys.executable, "-I", str(new), "status"], SELF_CHECK_S)
    write_whole(RealDisk(), layout.updater, new.read_bytes())


if __name__ == "__main__":
    sys.exit(main())
