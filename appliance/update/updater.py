"""In: a signed release. Out: verified → staged → switched, unconfirmed → gate → confirmed or taken back.

The order of writes is the promise: the record of what ran before is on the disk before the link is changed, and goes when
the gate has spoken. Whenever the power goes, `current` names a whole release; the record says whether to trust it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from appliance.errors import UpdateError
from appliance.update import state
from appliance.update.disk import Disk, remove_whole, write_whole
from appliance.update.gate import Seen
from appliance.update.layout import Layout
from appliance.update.manifest import Manifest
from appliance.update.records import Pending, Result, encode, pending_of, result_of
from appliance.update.version import is_version, key, newer

COMPLETE = "complete"
"""This file is written last into a release's folder: without it the folder is a beginning, and is removed."""
STARTS_MOST = 1
"""Boots that an unconfirmed release gets. The gate's process is gone after a power cut: the first boot takes back."""


class Service(Protocol):
    """The program on the device."""

    def stop(self) -> None: ...
    def start(self) -> None:
        """Starts, or starts again; does not wait until it is ready."""
        ...

    def ensure_started(self) -> None:
        """Starts what does not run; what runs is left alone."""
        ...

    def observe(self) -> Seen:
        """What works now, for the comparison."""
        ...

    def gate(self, before: Seen | None) -> list[str]:
        """Watches what was started; the reasons to take it back."""
        ...

    def progress(self, version: str, share: float) -> None:
        """Shows `updating` on the LEDs; never fails."""
        ...

    def boot_id(self) -> str: ...


class Installer(Protocol):
    """Makes the program of a verified release."""

    def install(self, source: Path, manifest: Manifest, release: Path) -> None:
        """Into the empty folder `release`. Raises UpdateError."""
        ...

    def activate(self, release: Path) -> None:
        """What lies outside of releases and belongs to this one (units). May be repeated. Raises UpdateError."""
        ...

    def assert_room(self, manifest: Manifest) -> None:
        """Raises UpdateError where there is no room for one more release."""
        ...


class Updater:
    """The steps. One process at a time holds the lock (see lock.py)."""

    def __init__(
        self, layout: Layout, disk: Disk, service: Service, installer: Installer, say: Callable[[str], None] = print
    ) -> None:
        self._layout, self._disk, self._service, self._installer, self._say = layout, disk, service, installer, say

    # --- what is --------------------------------------------------------------------------------------------------

    def current(self) -> str | None:
        """The version that `current` names, where it is a whole release."""
        target = self._disk.target(self._layout.current)
        name = Path(target).name if target is not None else ""
        return name if is_version(name) and self.complete(name) else None

    def complete(self, version: str) -> bool:
        return self._disk.is_file(self._layout.release(version) / COMPLETE)

    def pending(self) -> Pending | None:
        path = self._layout.pending
        return pending_of(self._disk.read(path)) if self._disk.is_file(path) else None

    def result(self) -> Result | None:
        path = self._layout.result
        return result_of(self._disk.read(path)) if self._disk.is_file(path) else None

    def releases(self) -> list[str]:
        return [name for name in self._disk.names(self._layout.releases) if is_version(name) and self.complete(name)]

    # --- an update ------------------------------------------------------------------------------------------------

    def apply(self, source: Path, read: Callable[[Path], Manifest], force: bool = False) -> Result:
        """The whole way. `read` verifies the release in `source`. Raises UpdateError where it was refused."""
        began_s = time.monotonic()
        for folder in (self._layout.releases, self._layout.records):
            self._disk.make_folder(folder)
        if self.pending() is not None:
            raise UpdateError(
                "unconfirmed", "The update before is not confirmed yet; it is taken back at the next boot."
            )
        before = self.current()
        self._step("verify")
        manifest = read(source)
        if before is not None and not newer(manifest.version, before) and not force:
            how = "the same as" if manifest.version == before else "older than"
            raise UpdateError(
                "not-newer", f"Release {manifest.version} is {how} what runs ({before}); --force takes it."
            )
        if manifest.version != before:
            self.stage(source, manifest)
        return self._switch_and_judge(before, manifest.version, began_s)

    def back_to(self, version: str) -> Result:
        """A release that is still here is put in charge, through the same gate (rollback by hand)."""
        began_s = time.monotonic()
        if self.pending() is not None:
            raise UpdateError(
                "unconfirmed", "The update before is not confirmed yet; it is taken back at the next boot."
            )
        if not is_version(version) or not self.complete(version):
            here = ", ".join(self.releases()) or "none"
            raise UpdateError("no-release", f"Release {version} is not on this device; here are: {here}.")
        return self._switch_and_judge(self.current(), version, began_s)

    def stage(self, source: Path, manifest: Manifest) -> None:
        """The release lies whole in its folder, on the disk."""
        release = self._layout.release(manifest.version)
        self._step("stage")
        self._service.progress(manifest.version, 0.1)
        self.clean(keep={manifest.version} if self.complete(manifest.version) else set())
        if self.complete(manifest.version):
            # The mark goes first, for good: a folder that is being emptied must not look whole.
            remove_whole(self._disk, release / COMPLETE)
        self._disk.remove(release)
        self._installer.assert_room(manifest)
        self._disk.make_folder(release)
        self._installer.install(source, manifest, release)
        self._step("sync")
        self._disk.sync_tree(release)
        self._disk.sync_folder(self._layout.releases)
        self._step("mark")
        write_whole(self._disk, release / COMPLETE, manifest.version.encode())

    def _switch_and_judge(self, before: str | None, after: str, began_s: float) -> Result:
        """From here on the device decides alone: `before` comes back unless the gate finds nothing against `after`."""
        seen = self._service.observe() if before is not None else None
        self._service.progress(after, 0.5)
        self._step("stop")
        self._service.stop()
        if before is not None and before != after:
            try:
                self._remember(before, after)
            except OSError as error:
                self._service.start()
                raise UpdateError("disk", f"The way back cannot be written: {error.strerror or error}.") from error
        self._step("switch")
        self.point_at(after)
        reasons = self._start_and_judge(after, seen)
        if reasons and before is not None and before != after:
            return self.take_back(reasons, began_s)
        outcome = "confirmed" if not reasons else "failed"  # nothing to go back to
        self._step("confirm")
        result = Result(after, outcome, after, tuple(reasons), round(time.monotonic() - began_s, 1))
        return self._close(result, "confirmed")

    def _remember(self, before: str, after: str) -> None:
        """What the way back needs is on the disk. Raises OSError."""
        self._step("state")
        state.keep_copies(self._disk, self._layout)
        self._step("pending")
        record = Pending(before, after, self._service.boot_id())
        write_whole(self._disk, self._layout.pending, encode(record))

    def _start_and_judge(self, version: str, seen: Seen | None) -> list[str]:
        """Reasons to take it back. A failure here is one: the release before is at hand."""
        try:
            self._step("activate")
            self._installer.activate(self._layout.release(version))
            self._step("start")
            self._service.start()
            self._service.progress(version, 0.7)
            self._step("gate")
            return self._service.gate(seen)
        except UpdateError as error:
            return [error.message]
        except OSError as error:
            return [f"the machine refused: {error.strerror or error}"]

    def _close(self, result: Result, step: str) -> Result:
        """The result is written before the record goes: between the two, a power cut takes back and says so."""
        try:
            write_whole(self._disk, self._layout.result, encode(result))
        except OSError as error:
            # A full disk may lose the report, not the release.
            self._say(f"the result cannot be written: {error.strerror or error}")
        remove_whole(self._disk, self._layout.pending)
        self._step(step)
        self._disk.remove(self._layout.before)
        return result

    # --- going back -----------------------------------------------------------------------------------------------

    def take_back(self, reasons: list[str], began_s: float | None = None, start: bool = True) -> Result:
        """The release before is in charge again. May be repeated: the record goes last."""
        pending = self.pending()
        if pending is None:
            raise UpdateError("nothing-pending", "There is no unconfirmed update.")
        self._step("take-back")
        if not self.complete(pending.before):
            gone = (*reasons, f"release {pending.before} is gone from this device, so {pending.after} stays")
            return self._close(Result(pending.after, "failed", self.current(), gone), "failed")
        if start:
            self._service.stop()
        reasons = [*reasons, *self._state_back(pending)]
        self._step("switch-back")
        self.point_at(pending.before)
        try:
            self._installer.activate(self._layout.release(pending.before))
        except (UpdateError, OSError) as error:
            reasons.append(f"the units of {pending.before} could not be laid: {error}")
        if start:
            self._service.start()
        seconds = None if began_s is None else round(time.monotonic() - began_s, 1)
        return self._close(Result(pending.after, "taken-back", pending.before, tuple(reasons), seconds), "taken-back")

    def _state_back(self, pending: Pending) -> list[str]:
        """What has to be told of it. A full disk must not keep a bad release in charge.

        The program's own readers set aside what they cannot read.
        """
        try:
            put_back = state.go_back(self._disk, self._layout, pending.after)
        except OSError as error:
            return [f"the state of {pending.before} could not be put back: {error.strerror or error}"]
        return [f"its {name} cannot be read by {pending.before}: kept aside" for name in put_back]

    def settle(self, boot: bool) -> Result | None:
        """What the units outside of releases ask for, at boot (before the program starts) or later.

        At boot: counts the start, and takes back after the last allowed one. Later the caller holds the lock, so the
        updater's process is gone and left no verdict: taken back at once. No clock is asked.
        """
        self._mend_link()
        if not self._disk.is_file(self._layout.pending):
            if not boot and self.current() is not None:
                # The updater stops the program before it writes its record: killed there, it leaves a device that is silent.
                self._service.ensure_started()
            return None
        pending = self.pending()
        if pending is None:
            # Damaged by its medium: nobody knows what ran before. What runs stays, and the gate's question stays open.
            remove_whole(self._disk, self._layout.pending)
            return None
        if boot and pending.boot_id != self._service.boot_id():
            starts = pending.starts + 1
            if starts < STARTS_MOST:
                record = Pending(pending.before, pending.after, self._service.boot_id(), starts)
                write_whole(self._disk, self._layout.pending, encode(record))
                return None
            return self.take_back([f"the power went before it was confirmed ({starts} starts)"], start=False)
        if boot:
            return None  # the unit was started once more within the boot of the update
        return self.take_back(["the update ended without a verdict"])

    def _mend_link(self) -> None:
        """`current` names a whole release, if there is one. Its rename is atomic: only damage from outside breaks it."""
        if self.current() is not None:
            return
        pending = self.pending()
        trusted = [pending.before] if pending is not None and self.complete(pending.before) else []
        whole = trusted or sorted(self.releases(), key=key)
        if whole:
            self.point_at(whole[-1])

    def point_at(self, version: str) -> None:
        """`current` names `version` when this returns; before, it names what it named."""
        link = self._layout.current
        part = link.with_name("current.part")
        self._disk.remove(part)
        self._disk.link(part, f"releases/{version}")
        self._disk.rename(part, link)
        self._disk.sync_folder(link.parent)

    def clean(self, keep: set[str]) -> None:
        """Removes beginnings and all releases but what runs, what ran before it, and `keep`."""
        last = self.result()
        pending = self.pending()
        keep = keep | {name for name in (self.current(), last.runs if last else None) if name}
        keep |= {pending.before, pending.after} if pending else set()
        others = [name for name in self.releases() if name not in keep]
        previous = max(others, key=key, default=None)
        for name in self._disk.names(self._layout.releases):
            if name not in keep and name != previous:
                if self._disk.is_file(self._layout.releases / name / COMPLETE):
                    remove_whole(self._disk, self._layout.releases / name / COMPLETE)
                self._disk.remove(self._layout.releases / name)

    def _step(self, name: str) -> None:
        """One word a step, for people and for those who pull the plug."""
        self._say(f"step {name}")
