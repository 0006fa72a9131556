"""In: a folder, how loud the room hears the loudspeaker. Out: a private sound server with both, which can be hung and killed.

Two null sinks: `spk`, the loudspeaker, and `room`, what the microphone hears. ALSA programs reach them as the PCMs `mic` and
`speaker` by ALSA_CONFIG_PATH.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import time
from pathlib import Path

from appliance.errors import DeviceError

START_S = 10.0


class SoundServer:
    """Pulseaudio in a folder of its own. Blocking."""

    def __init__(self, folder: Path, echo_db: float | None) -> None:
        """`echo_db`: how loud the room hears the loudspeaker, dB (0 or less); None: not at all."""
        self._folder = folder
        self._echo_db = echo_db
        self._daemon: subprocess.Popen[bytes] | None = None
        for name in ("home", "run", "state"):
            (folder / name).mkdir(mode=0o700)
        self._write_files()

    @property
    def environment(self) -> dict[str, str]:
        """Variables that its clients, and programs that use its PCMs, are started with."""
        return {
            "ALSA_CONFIG_PATH": str(self._folder / "asound.conf"),
            "HOME": str(self._folder / "home"),
            "XDG_RUNTIME_DIR": str(self._folder / "run"),
            "PULSE_RUNTIME_PATH": str(self._folder / "run"),
            "PULSE_STATE_PATH": str(self._folder / "state"),
            "PULSE_CONFIG": str(self._folder / "daemon.conf"),
        }

    @property
    def address(self) -> str:
        """Where its own clients connect."""
        return f"unix:{self._folder}/native"

    @property
    def _pid(self) -> int:
        assert self._daemon is not None
        return self._daemon.pid

    def start(self) -> None:
        """Starts the sound server; again, after `kill`. Returns when it takes connections."""
        with (self._folder / "pulseaudio.log").open("ab") as log:
            self._daemon = subprocess.Popen(
                ["pulseaudio", "-n", "-F", str(self._folder / "default.pa"), "--daemonize=no", "--exit-idle-time=-1",
                 "--use-pid-file=no", "--log-target=stderr"],
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )  # fmt: skip
        deadline_s = time.monotonic() + START_S
        while time.monotonic() < deadline_s and self._daemon.poll() is None:
            if self._control("info").returncode == 0:
                return
            time.sleep(0.05)
        log_text = (self._folder / "pulseaudio.log").read_text(errors="replace").strip().splitlines()
        raise DeviceError("no-virtual-card", f"The sound server did not start: {log_text[-1] if log_text else '?'}")

    def stop(self) -> None:
        """Freezes the sound server: reads block for ever."""
        os.kill(self._pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Ends a `stop`."""
        os.kill(self._pid, signal.SIGCONT)

    def kill(self) -> None:
        """The sound server is gone at once; `start` brings it back."""
        os.kill(self._pid, signal.SIGKILL)
        self.end()

    def end(self) -> None:
        """Ends the sound server, whatever state it is in."""
        if self._daemon is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._daemon.pid, signal.SIGCONT)
            end_process(self._daemon)

    def set_echo(self, echo_db: float) -> None:
        """How loud the room hears the loudspeaker from now on, dB."""
        self._control("set-sink-input-volume", "0", str(_raw_volume(echo_db)))

    def child(self, command: list[str], stdout: int) -> subprocess.Popen[bytes]:
        """Starts one of its clients."""
        return subprocess.Popen(
            command,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
        )

    def _control(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["timeout", "-k", "1", "2", "pactl", f"--server={self.address}", *words],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )

    def _write_files(self) -> None:
        native = self._folder / "native"
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
        (self._folder / "default.pa").write_text("\n".join(lines) + "\n")
        (self._folder / "daemon.conf").write_text(
            "realtime-scheduling=no\navoid-resampling=yes\nenable-remixing=no\ndefault-fragment-size-msec=10\n"
        )
        (self._folder / "asound.conf").write_text(
            "</usr/share/alsa/alsa.conf>\n"
            f'pcm.mic {{ type pulse server "unix:{native}" device "room.monitor" }}\n'
            f'pcm.speaker {{ type pulse server "unix:{native}" device "spk" }}\n'
        )


def _raw_volume(level_db: float | None) -> int:
    """Pulse's linear volume for a level: 65536 · 10^(dB/60)."""
    return 0 if level_db is None or math.isinf(level_db) else round(65536 * 10 ** (level_db / 60))


def end_process(process: subprocess.Popen[bytes]) -> None:
    """Ends a process of ours: politely, then not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=2.0)
