"""In: what went wrong, at a seam. Out: one error tree with a machine-readable code and one sentence for people."""

from __future__ import annotations


class ApplianceError(Exception):
    """Every error that the program raises on purpose.

    `code` is stable and machine-readable (lower case, hyphens); `message` is one sentence that a person
    can act on. Neither ever holds a secret, a transcript or audio.
    """

    exit_code = 1

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message


class UsageError(ApplianceError, ValueError):
    """The command was called with something it cannot use: exit code 2."""

    exit_code = 2


class SettingsError(UsageError):
    """A setting is unknown, out of range or unreadable; the message names the field or the file."""


class ModelError(ApplianceError):
    """A model file is missing, truncated, has the wrong hash or cannot be fetched."""


class DeviceError(ApplianceError, OSError):
    """A sound card, GPIO chip, bus or pin is missing, busy or not permitted."""


class GrammarError(ApplianceError, ValueError):
    """Sentences cannot be compiled; the message names the file, the line and what is wrong."""


class UpdateError(ApplianceError):
    """A release cannot be taken, or an update could not be brought to its end; the device keeps a release that works."""


class AudioFileError(UsageError):
    """A recording is empty, truncated or holds no audio that can be read."""


class StageError(ApplianceError):
    """A stage of a turn failed.

    `stage` is one of wake, listen, stt, intent, action, tts, play: the same in files, settings, events, metrics and logs; or
    turn, where it is none of them.
    """

    stage = "turn"


class EngineError(StageError):
    """A child process died, hung, closed its connection or talked rubbish on the wire."""

    def __init__(self, code: str, message: str, stage: str = "turn") -> None:
        super().__init__(code, message)
        self.stage = stage


class WakeError(StageError):
    """The wake engine cannot run (missing model, refused access key, wrong tensor type)."""

    stage = "wake"


class ListenError(StageError):
    """No audio could be had from the microphone."""

    stage = "listen"


class SttError(StageError):
    """Speech could not be turned into text."""

    stage = "stt"


class IntentError(StageError):
    """Text could not be turned into an intent."""

    stage = "intent"


class ActionError(StageError):
    """A skill could not do what was asked."""

    stage = "action"


class TtsError(StageError):
    """Text could not be turned into speech."""

    stage = "tts"


class PlayError(StageError):
    """The reply could not be played."""

    stage = "play"
