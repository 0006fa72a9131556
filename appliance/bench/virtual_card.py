"""In: nothing but Debian's pulseaudio. Out: a sound card, a room and someone who speaks in it, in real time through alsa-lib.

A private sound server with two null sinks: `spk`, the loudspeaker, and `room`, what the microphone hears. `echo_db`
lets the loudspeaker be heard in the room. ALSA programs reach them as the PCMs `mic` and `speaker` by ALSA_CONFIG_PATH.
"""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from appliance.errors import DeviceError

RATE_HZ = 16000
START_S = 10.0
_PROGRAMS = ("pulseaudio", "paplay", "parec")

Samples = NDArray[np.int16]


def missing() -> str | None:
    """The sentence to show where the virtual card cannot run, else None."""
    absent = [program for program in _PROGRAMS if shutil.which(program) is None]
    plugins = list(Path("/usr/lib").glob("**/alsa-lib/libasound_module_pcm_pulse.so"))
    if not absent and plugins:
        return None
    return "The virtual sound card wants Debian's pulseaudio, pulseaudio-utils and libasound2-plugins."


class Recorder:
    """What a sink plays, from the recorder's first sample on, and when: the sound server's samples are 20 ms old."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._data = bytearray()
        self._origin_s = math.inf
        self._reader = threading.Thread(target=self._read, name="recorder", daemon=True)
        self._reader.start()

    @property
    def begun(self) -> bool:
        return bool(self._data)

    def samples(self, since: int = 0) -> Samples:
        """16 kHz mono, all that was recorded so far, from sample `since` on."""
        data = bytes(self._data[2 * since :])
        return np.frombuffer(data[: len(data) // 2 * 2], dtype=np.int16)

    def place(self, at_s: float) -> int:
        """The sample that sounded at `at_s` on time.monotonic: the pieces that came soonest tell, to some 10 ms."""
        return max(0, round((at_s - self._origin_s) * RATE_HZ))

    def time_s(self, place: int) -> float:
        """When sample `place` sounded, time.monotonic."""
        return self._origin_s + place / RATE_HZ

    def stop(self) -> Samples:
        """Ends the recording; what it holds."""
        _end(self._process)
        self._reader.join(timeout=2.0)
        return self.samples()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            while data := os.read(pipe.fileno(), 65536):
                self._data += data
                self._origin_s = min(self._origin_s, time.monotonic() - len(self._data) / 2 / RATE_HZ)


class VirtualCard:
    """`with VirtualCard() as card:` starts and ends it. Blocking; nothing of it outlives the block."""

    def __init__(self, echo_db: float | None = None) -> None:
        """`echo_db`: how loud the room hears the loudspeaker, dB (0 or less); None: not at all."""
        self._echo_db = echo_db
        self._stack = contextlib.ExitStack()
        self._daemon: subprocess.Popen[bytes] | None = None
        self._children: list[subprocess.Popen[bytes]] = []
        self.folder = Path()

    def __enter__(self) -> Self:
        """Raises DeviceError where a program is missing or the sound server does not start."""
        if (reason := missing()) is not None:
            raise DeviceError("no-virtual-card", reason)
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="appliance-card-")))
        for name in ("home", "run", "state"):
            (self.folder / name).mkdir(mode=0o700)
        self._write_files()
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._children:
            _end(child)
        self.end()
        self._stack.close()

    @property
    def environment(self) -> dict[str, str]:
        """Variables that make `mic` and `speaker` known to a program started with them."""
        return {"ALSA_CONFIG_PATH": str(self.folder / "asound.conf"), **self._pulse_environment}

    @property
    def assignments(self) -> tuple[str, ...]:
        """Settings, as for --set, that name the card's PCMs."""
        return ("sound.source=alsa", "sound.capture=mic", "sound.playback=speaker")

    @property
    def pid(self) -> int:
        """The sound server's."""
        assert self._daemon is not None
        return self._daemon.pid

    # ---- hands on the sound server

    def start(self) -> None:
        """Starts the sound server; again, after `kill`. Returns when it takes connections."""
        with (self.folder / "pulseaudio.log").open("ab") as log:
            self._daemon = subprocess.Popen(
                ["pulseaudio", "-n", "-F", str(self.folder / "default.pa"), "--daemonize=no", "--exit-idle-time=-1",
                 "--use-pid-file=no", "--log-target=stderr"],
                env={**os.environ, **self._pulse_environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )  # fmt: skip
        deadline_s = time.monotonic() + START_S
        while time.monotonic() < deadline_s and self._daemon.poll() is None:
            if self._control("info").returncode == 0:
                return
            time.sleep(0.05)
        log_text = (self.folder / "pulseaudio.log").read_text(errors="replace").strip().splitlines()
        raise DeviceError("no-virtual-card", f"The sound server did not start: {log_text[-1] if log_text else '?'}")

    def stop(self) -> None:
        """Freezes the sound server: reads block for ever."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Ends a `stop`."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """The sound server is gone at once; `start` brings it back."""
        os.kill(self.pid, signal.SIGKILL)
        self.end()

    def end(self) -> None:
        """Ends the sound server, whatever state it is in."""
        if self._daemon is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._daemon.pid, signal.SIGCONT)
            _end(self._daemon)

    # ---- the room

    def speak_in_room(self, audio: Path | Samples, wait: bool = True) -> subprocess.Popen[bytes]:
        """Someone speaks: a recording (a file libsndfile reads, or 16 kHz mono samples). `wait` until it is over.

        Raises DeviceError where it cannot be played.
        """
        player = self._play("room", audio)
        if wait:
            try:
                player.wait(timeout=120.0)
            except subprocess.TimeoutExpired as error:
                _end(player)
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
        command = ["paplay", f"--server=unix:{self.folder}/native", f"--device={sink}", "--latency-msec=30"]
        if isinstance(audio, Path):
            command.append(str(audio))
        else:
            file = self.folder / f"spoken-{len(self._children)}.raw"
            file.write_bytes(audio.astype("<i2").tobytes())
            command += ["--raw", f"--rate={RATE_HZ}", "--format=s16le", "--channels=1", str(file)]
        return self._child(command, subprocess.DEVNULL)

    def _record(self, sink: str) -> Recorder:
        command = ["parec", f"--server=unix:{self.folder}/native", f"--device={sink}.monitor", "--latency-msec=20",
                   "--raw", f"--rate={RATE_HZ}", "--format=s16le", "--channels=1"]  # fmt: skip
        process = self._child(command, subprocess.PIPE)
        recorder = Recorder(process)
        deadline_s = time.monotonic() + 3.0
        while not recorder.begun and time.monotonic() < deadline_s and process.poll() is None:
            time.sleep(0.01)  # an idle sink takes its time for the first samples
        return recorder

    def _child(self, command: list[str], stdout: int) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            command,
            env={**os.environ, **self._pulse_environment},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
        )
        self._children = [known for known in self._children if known.poll() is None] + [child]
        return child

    def set_echo(self, echo_db: float) -> None:
        """How loud the room hears the loudspeaker from now on, dB."""
        self._control("set-sink-input-volume", "0", str(_raw_volume(echo_db)))

    def _control(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["timeout", "-k", "1", "2", "pactl", f"--server=unix:{self.folder}/native", *words],
            env={**os.environ, **self._pulse_environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )

    @property
    def _pulse_environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.folder / "home"),
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            "PULSE_RUNTIME_PATH": str(self.folder / "run"),
            "PULSE_STATE_PATH": str(self.folder / "state"),
            "PULSE_CONFIG": str(self.folder / "daemon.conf"),
        }

    def _write_files(self) -> None:
        native = self.folder / "native"
        sinks = "rate=16000 format=s16le channels=1 channel_map=mono"
        lines = [
            f"load-module module-native-protocol-unix auth-anonymous=1 socket={native}",
            f"load-module module-null-sink sink_name=spk {sinks}",
            f"load-module module-null-sink sink_name=room {sinks}",
            # Keeps the room's clock running: an idle null sink lets the first read wait for up to 2 s.
            "load-module module-loopback source=spk.monitor sink=room latency_msec=10 adjust_time=0 "
            "source_dont_move=yes sink_dont_move=yes",
            # The loopback's own stream, the first there is; the monitor's volume would silence recorders as well.
            f"set-sink-input-volume 0 {_raw_volume(self._echo_db)}",
        ]
        (self.folder / "default.pa").write_text("\n".join(lines) + "\n")
        (self.folder / "daemon.conf").write_text(
            "realtime-scheduling=no\navoid-resampling=yes\nenable-remixing=no\ndefault-fragment-size-msec=10\n"
        )
        (self.folder / "asound.conf").write_text(
            "</usr/share/alsa/alsa.conf>\n"
            f'pcm.mic {{ type pulse server "unix:{native}" device "room.monitor" }}\n'
            f'pcm.speaker {{ type pulse server "unix:{native}" device "spk" }}\n'
        )


def _raw_volume(level_db: float | None) -> int:
    """Pulse's linear volume for a level: 65536 · 10^(dB/60)."""
    return 0 if level_db is None or math.isinf(level_db) else round(65536 * 10 ** (level_db / 60))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process of ours: politely, then not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=2.0)
