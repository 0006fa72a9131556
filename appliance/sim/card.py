"""In: nothing but Debian's pulseaudio. Out: a sound card, a room and someone who speaks in it, in real time through alsa-lib.

A private sound server (bench.pulse) whose loudspeaker is recorded, and in whose room recordings are played.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from appliance.errors import DeviceError
from appliance.sim.recorder import RATE_HZ, Recorder, Samples
from appliance.sim.sound_server import SoundServer, end_process

_PROGRAMS = ("pulseaudio", "paplay", "parec")


def missing() -> str | None:
    """The sentence to show where the virtual card cannot run, else None."""
    absent = [program for program in _PROGRAMS if shutil.which(program) is None]
    plugins = list(Path("/usr/lib").glob("**/alsa-lib/libasound_module_pcm_pulse.so"))
    if not absent and plugins:
        return None
    return "The virtual sound card wants Debian's pulseaudio, pulseaudio-utils and libasound2-plugins."


class VirtualCard:
    """`with VirtualCard() as card:` starts and ends it. Blocking; nothing of it outlives the block."""

    def __init__(self, echo_db: float | None = None) -> None:
        """`echo_db`: how loud the room hears the loudspeaker, dB (0 or less); None: not at all."""
        self._echo_db = echo_db
        self._stack = contextlib.ExitStack()
        self._children: list[subprocess.Popen[bytes]] = []
        self._folder = Path()
        self.server: SoundServer
        """Hands on the sound server, from the block's begin on."""

    def __enter__(self) -> Self:
        """Raises DeviceError where a program is missing or the sound server does not start."""
        if (reason := missing()) is not None:
            raise DeviceError("no-virtual-card", reason)
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="appliance-card-")))
        self.server = SoundServer(self._folder, self._echo_db)
        try:
            self.server.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._children:
            end_process(child)
        self.server.end()
        self._stack.close()

    @property
    def environment(self) -> dict[str, str]:
        """Variables that make `mic` and `speaker` known to a program started with them."""
        return self.server.environment

    @property
    def assignments(self) -> tuple[str, ...]:
        """Settings, as for --set, that name the card's PCMs."""
        return ("sound.source=alsa", "sound.capture=mic", "sound.playback=speaker")

    def speak_in_room(self, audio: Path | Samples, wait: bool = True) -> subprocess.Popen[bytes]:
        """Someone speaks: a recording (a file libsndfile reads, or 16 kHz mono samples). `wait` until it is over.

        Raises DeviceError where it cannot be played.
        """
        player = self._play("room", audio)
        if wait:
            try:
                player.wait(timeout=120.0)
            except subprocess.TimeoutExpired as error:
                end_process(player)
                raise DeviceError("room-stuck", "The virtual room took no audio for two minutes.") from error
            if player.returncode != 0:
                raise DeviceError("room-failed", f"The virtual room could not play (paplay: {player.returncode}).")
        return player

    def record_speaker(self) -> Recorder:
        """Records what the loudspeaker plays, from now on."""
        return self._record("spk")

    def record_room(self) -> Recorder:
        """Records what the microphone hears, from now on."""
        return self._record("room")

    @contextlib.contextmanager
    def recording(self) -> Iterator[Recorder]:
        """`record_speaker` for the length of a block."""
        recorder = self.record_speaker()
        try:
            yield recorder
        finally:
            recorder.stop()

    def _play(self, sink: str, audio: Path | Samples) -> subprocess.Popen[bytes]:
        command = ["paplay", f"--server={self.server.address}", f"--device={sink}", "--latency-msec=30"]
        if isinstance(audio, Path):
            command.append(str(audio))
        else:
            file = self._folder / f"spoken-{len(self._children)}.raw"
            file.write_bytes(audio.astype("<i2").tobytes())
            command += ["--raw", f"--rate={RATE_HZ}", "--format=s16le", "--channels=1", str(file)]
        return self._child(command, subprocess.DEVNULL)

    def _record(self, sink: str) -> Recorder:
        command = ["parec", f"--server={self.server.address}", f"--device={sink}.monitor", "--latency-msec=20",
                   "--raw", f"--rate={RATE_HZ}", "--format=s16le", "--channels=1"]  # fmt: skip
        process = self._child(command, subprocess.PIPE)
        recorder = Recorder(process)
        deadline_s = time.monotonic() + 3.0
        while not recorder.begun and time.monotonic() < deadline_s and process.poll() is None:
            time.sleep(0.01)  # an idle sink takes its time for the first samples
        return recorder

    def _child(self, command: list[str], stdout: int) -> subprocess.Popen[bytes]:
        child = self.server.child(command, stdout)
        self._children = [known for known in self._children if known.poll() is None] + [child]
        return child
