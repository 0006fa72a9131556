"""In: an update. Out: a device on a forgetful disk that takes it, with hands: what the gate finds, what is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from appliance.errors import UpdateError
from appliance.update.gate import Seen, ServiceState
from appliance.update.layout import Layout
from appliance.update.manifest import Manifest, ReleaseFile
from appliance.update.updater import Updater
from tests.forgetful_disk import ForgetfulDisk

LAYOUT = Layout(Path("/opt/appliance"), Path("/var/lib/appliance"), Path("/etc/appliance"))
TIMERS = LAYOUT.state / "timers.json"
OLD_TIMERS = b'{"version": 1, "timers": ["tea"]}'
NEW_TIMERS = b'{"version": 2, "alarms": {"tea": 1}}'
SOURCE = Path("/incoming")


def manifest(version: str) -> Manifest:
    return Manifest(version, "3.11", "x86_64", 1000, {"requirements.txt": ReleaseFile(1, "0" * 64)})


class Installer:
    """Lays a program of three files; a torn one is seen."""

    def __init__(self, disk: ForgetfulDisk) -> None:
        self.disk, self.room = disk, True
        self.active: str | None = None

    def assert_room(self, manifest: Manifest) -> None:
        if not self.room:
            raise UpdateError("no-room", "There is no room.")

    def install(self, source: Path, manifest: Manifest, release: Path) -> None:
        self.disk.make_folder(release / "venv" / "bin")
        for name in ("venv/bin/appliance", "venv/library", "manifest.json"):
            self.disk.write(release / name, f"{name} of {manifest.version}".encode())

    def activate(self, release: Path) -> None:
        self.active = release.name


class Service:
    """A device that can be started; `reasons` is what the gate will find, `on_start` what the program does to its state."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.on_start: Callable[[], None] = lambda: None
        self.boot = "boot 1"
        self.running = True

    def stop(self) -> None:
        self.running = False

    def start(self) -> None:
        self.running = True
        self.on_start()

    def ensure_started(self) -> None:
        self.running = True

    def observe(self) -> Seen:
        return Seen(ServiceState(True, answers=True))

    def gate(self, before: Seen | None) -> list[str]:
        return self.reasons

    def progress(self, version: str, share: float) -> None:
        pass

    def boot_id(self) -> str:
        return self.boot


class Device:
    """A device with release 1.0.0, confirmed."""

    def __init__(self, disk: ForgetfulDisk | None = None) -> None:
        self.disk, self.service, self.steps = disk or ForgetfulDisk(), Service(), list[str]()
        self.boots_seen = 0
        self.installer = Installer(self.disk)
        self.updater = Updater(LAYOUT, self.disk, self.service, self.installer, self.steps.append)
        for folder in (LAYOUT.root, LAYOUT.state):
            self.disk.make_folder(folder)
        self.disk.write(TIMERS, OLD_TIMERS)
        self.apply("1.0.0")
        self.disk.sync_all()
        self.disk.changes = 0
        self.steps.clear()

    def apply(self, version: str, force: bool = False) -> str:
        return self.updater.apply(SOURCE, lambda source: manifest(version), force).outcome

    def breaks_state(self) -> None:
        """What a release does that writes its state in a newer form."""
        version = self.updater.current()
        self.service.on_start = lambda: (
            self.disk.write(TIMERS, NEW_TIMERS) if self.updater.current() != version else None  # type: ignore[func-returns-value]
        )

    def boots(self) -> None:
        """The unit before the program, then the program."""
        self.boots_seen += 1
        self.service.boot = f"boot {self.boots_seen + 1}"
        self.service.on_start = lambda: None
        self.updater.settle(boot=True)

    def assert_works(self) -> str:
        version = self.updater.current()
        assert version is not None, "no release"
        release = LAYOUT.release(version)
        for name in ("venv/bin/appliance", "venv/library", "manifest.json"):
            assert self.disk.read(release / name) == f"{name} of {version}".encode()
        assert self.updater.pending() is None
        return version
