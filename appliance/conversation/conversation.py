"""In: wake words, presses, commands, announcements, ringing timers. Out: one turn, announcement or alarm after the other.

`machine.TABLE` says what each signal does in each phase; this module carries the effects out and owns the task under way.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field, replace

from appliance.conversation.context import Trigger, TurnContext
from appliance.conversation.loudspeaker import Rank
from appliance.conversation.machine import Effect, Machine, Phase, Signal
from appliance.conversation.turn import Turn
from appliance.errors import PlayError, StageError
from appliance.events import State, StateChanged, TurnEnded, TurnRecord, TurnStarted, WakeDetected
from appliance.wire.sound import STOP_WORD, Detection

log = logging.getLogger(__name__)

RECORDS = 50
"""Turns remembered for `appliance status`."""
UNWIND_S = 1.0
"""What is cancelled has this long to end; then it is left to itself, so that nobody who speaks waits for it."""
MOST_COMMANDS = 64
"""Commands of timers that may wait, more than there can be timers; the oldest gives way."""
MOST_ANNOUNCEMENTS = 8
"""Announcements that may wait; one more is refused."""
ALARM_PAUSE_S = 0.2
ALARM_RETRY_S = 2.0
"""Between two tries to sound an alarm where the loudspeaker fails."""

SHOWN = {
    Phase.LISTENING: State.LISTENING,
    Phase.THINKING: State.THINKING,
    Phase.SPEAKING: State.REPLYING,
    Phase.ANNOUNCING: State.REPLYING,
}
"""Phase → what the panel and telemetry show; timers tell of their ringing themselves."""


@dataclass(slots=True, eq=False)
class _Announcement:
    """A text of somebody's own. `over` is done with whether it was said to its end, or with why it could not be."""

    text: str
    chime: bool
    volume_percent: int | None
    over: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def end(self, said: bool, error: BaseException | None = None) -> None:
        if self.over.done():
            return
        if error is None:
            self.over.set_result(said)
        else:
            self.over.set_exception(error)
            self.over.exception()  # who asked may have gone away


_Request = Trigger | _Announcement | None
"""What a signal asks for; None: the alarm."""


@dataclass(slots=True, eq=False)
class _Activity:
    """What the device is at: one turn, one announcement or the alarm."""

    request: _Request
    turn: Turn | None
    task: asyncio.Task[None] | None = None
    cancelled: bool = False


class Conversation:
    """`run` is its life; `open`, `command`, `announce`, `ring`, `hush` and `stop` are the signals it is given."""

    def __init__(self, context: TurnContext) -> None:
        self._context = context
        self._machine = Machine()
        self._group: asyncio.TaskGroup | None = None
        self._activity: _Activity | None = None
        self._opening: Trigger | None = None
        self._commands: deque[Trigger] = deque(maxlen=MOST_COMMANDS)
        self._announcements: deque[_Announcement] = deque()
        self._count = 0
        self._follow_ups = 0
        self.records: deque[TurnRecord] = deque(maxlen=RECORDS)
        context.ear.on_detection = self._detected

    # -- what it is at --------------------------------------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        return self._machine.phase

    @property
    def busy(self) -> bool:
        """Whether a turn is open, or about to be."""
        return self._opening is not None or self.phase in (Phase.LISTENING, Phase.THINKING, Phase.SPEAKING)

    @property
    def listening(self) -> bool:
        return self.phase is Phase.LISTENING

    @property
    def speaking(self) -> bool:
        return self.phase in (Phase.SPEAKING, Phase.ANNOUNCING)

    # -- signals --------------------------------------------------------------------------------------------------

    def open(self, trigger: Trigger) -> None:
        """Opens a turn. One that listens goes on; what the device thinks or says is ended for it (barge-in)."""
        self._give(Signal.OPEN if trigger.text is None else Signal.COMMAND, trigger)

    def command(self, text: str) -> None:
        """Has a sentence carried out as if it had been said (a timer's command), after the turn under way and in order."""
        self.open(Trigger("command", text=text))

    def ring(self) -> None:
        """Sounds the alarm for as long as timers ring; it yields to everybody and goes on afterwards."""
        self._give(Signal.RING)

    def stop(self) -> bool:
        """Ends whatever the device is at, and silences timers; False where there was nothing to stop."""
        return self._give(Signal.STOP)

    def hush(self) -> bool:
        """Silences all that sounds; a turn that listens or thinks goes on. Whether anything sounded."""
        return self._give(Signal.HUSH)

    def stop_listening(self) -> bool:
        """Ends a turn that listens, silently; nothing else. Whether one did."""
        return self._give(Signal.YIELD)

    def let_go(self, ended: bool) -> None:
        """The finger is off the button of a held turn: its speech is over (`ended`), or the turn goes on by itself."""
        if self._opening is not None:
            if self._opening.held and ended:
                self._opening = None  # let go before it began: nothing can have been said
            else:
                self._opening = replace(self._opening, held=False)
        elif self.listening and self._activity is not None and self._activity.turn is not None:
            self._activity.turn.let_go(ended)

    async def announce(self, text: str, chime: bool = False, volume_percent: int | None = None) -> bool:
        """Speaks a text of somebody's own when no turn is under way; whether it was said to its end.

        Raises PlayError `busy` where too many wait, and the stage's error where it could not be said.
        """
        if len(self._announcements) >= MOST_ANNOUNCEMENTS:
            raise PlayError("busy", "Too many announcements wait.")
        announcement = _Announcement(text, chime, volume_percent)
        self._give(Signal.ANNOUNCE, announcement)
        try:
            return await announcement.over
        finally:
            if announcement in self._announcements:
                self._announcements.remove(announcement)
            elif self._activity is not None and self._activity.request is announcement:
                self._cancel()

    def _detected(self, detection: Detection) -> None:
        if self._context.loudspeaker.says(detection.name):
            log.info("wake %s (%.2f): its own voice", detection.name, detection.score)
            return
        if detection.name == STOP_WORD:
            stopped = self.hush() if self._in_sentence(detection) else self.stop()
            log.info("%s (%.2f)%s", detection.name, detection.score, "" if stopped else ": nothing to silence")
            return
        self._context.bus.publish(
            WakeDetected(
                wake_word=detection.name,
                score=detection.score,
                level_dbfs=detection.level_dbfs,
                direction_deg=detection.direction_deg,
            )
        )
        log.info("wake %s (%.2f)", detection.name, detection.score)
        self.open(Trigger("wake", detection, detection.timestamp))

    def _in_sentence(self, stop: Detection) -> bool:
        """Whether the word belongs to what is being said to the device ("stop the timer"): it is heard as a sentence."""
        if self.listening:
            return True
        turn = self._activity.turn if self._activity is not None else None
        until_ms = turn.listened_until_ms if turn is not None else None
        return until_ms is not None and stop.timestamp <= until_ms

    # -- the machine ----------------------------------------------------------------------------------------------

    def _give(self, signal: Signal, request: _Request = None) -> bool:
        """Gives the machine a signal and does what it says; whether that ended, dropped or silenced anything."""
        if self._group is None:
            self._keep(request)  # `run` begins with what waits
            return False
        before = self.phase
        ended = False
        for effect in self._machine.take(signal):
            match effect:
                case Effect.BEGIN:
                    self._begin(request)
                case Effect.CANCEL:
                    if signal is not Signal.OPEN or not self._keeps_promise:
                        ended = self._cancel() or ended
                case Effect.WAIT:
                    self._keep(request)
                case Effect.SILENCE:
                    ended = self._context.agent.hush() or ended
                case Effect.FORGET:
                    ended = self._opening is not None or ended
                    self._opening = None
        self._show(before)
        return ended

    def _show(self, before: Phase) -> None:
        if before is self.phase:
            return
        old, new = SHOWN.get(before), SHOWN.get(self.phase)
        if old is not None and old is not new:
            self._context.bus.publish(StateChanged(state=old, on=False))
        if new is not None and new is not old:
            self._context.bus.publish(StateChanged(state=new))
        if self.phase is Phase.IDLE:
            self._context.bus.publish(StateChanged(state=State.IDLE))

    def _keep(self, request: _Request) -> None:
        match request:
            case Trigger(text=None):
                if self._opening is not None:
                    log.info("turn: opened by %s while %s waited: the newer counts", request.cause, self._opening.cause)
                self._opening = request
            case Trigger():
                self._commands.append(request)
            case _Announcement():
                self._announcements.append(request)
            case None:
                pass  # timers ring until they are silenced: nothing needs to be remembered

    def _go_on(self) -> None:
        """Idle: the next of those who wait."""
        if self._opening is not None:
            opening, self._opening = self._opening, None
            self._give(Signal.OPEN, opening)
        elif self._commands:
            self._give(Signal.COMMAND, self._commands.popleft())
        elif self._announcements:
            self._give(Signal.ANNOUNCE, self._announcements.popleft())
        elif self._context.agent.ringing():
            self._give(Signal.RING)

    # -- the task under way ---------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Takes what comes until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                self._go_on()
                await asyncio.Event().wait()
            finally:
                self._group = None

    def _begin(self, request: _Request) -> None:
        assert self._group is not None
        activity = self._activity = _Activity(request, None)
        if isinstance(request, Trigger):
            self._count += 1
            self._follow_ups = self._follow_ups + 1 if request.cause == "follow_up" else 0
            name = f"t{self._count}"
            activity.turn = Turn(name, request, self._context, lambda signal: self._told(activity, signal))
            self._context.bus.publish(TurnStarted(turn=name, cause=request.cause))
        activity.task = self._group.create_task(self._live(activity), name="conversation activity")
        activity.task.add_done_callback(lambda task: self._ended(activity))

    async def _live(self, activity: _Activity) -> None:
        request = activity.request
        try:
            if activity.turn is not None:
                await activity.turn.take()
            elif isinstance(request, _Announcement):
                await self._say(request)
                request.end(True)
            else:
                await self._sound_alarm()
        except Exception as error:
            if isinstance(request, _Announcement):
                request.end(False, error)  # who asked is told, and says so
            else:
                log.exception("conversation")

    def _told(self, activity: _Activity, signal: Signal) -> None:
        """How far a turn is; one that was given up has nothing to say any more."""
        if activity is self._activity and not activity.cancelled:
            self._give(signal)
            if signal is Signal.REPLY and self._opening is not None:
                self._cancel()  # what was promised is done; who waits to be heard does not wait for the words as well

    @property
    def _keeps_promise(self) -> bool:
        """Whether a timer's command is being carried out: somebody who speaks now waits for it, so that it is not lost."""
        request = self._activity.request if self._activity is not None else None
        return self.phase is Phase.THINKING and isinstance(request, Trigger) and request.cause == "command"

    def _cancel(self) -> bool:
        """Ends what is under way; whether that was not so already."""
        activity = self._activity
        if activity is None or activity.task is None or activity.cancelled:
            return False
        activity.cancelled = True
        activity.task.cancel()
        asyncio.get_running_loop().call_later(UNWIND_S, self._abandon, activity)
        return True

    def _abandon(self, activity: _Activity) -> None:
        if activity is self._activity:
            log.error("conversation: what was cancelled did not end within %g s; it is left to itself", UNWIND_S)
            self._ended(activity)

    def _ended(self, activity: _Activity) -> None:
        if activity is not self._activity:
            return
        self._activity = None
        turn = activity.turn
        if isinstance(activity.request, _Announcement):
            activity.request.end(False)
        if turn is not None and turn.asks is not None and not activity.cancelled and self._opening is None:
            settings = self._context.settings
            if settings.follow_up and self._follow_ups < settings.follow_up_turns:
                self._opening = Trigger("follow_up", question=turn.asks)
        before = self.phase
        self._machine.take(Signal.DONE)
        self._show(before)
        if turn is not None:
            record = turn.record()
            self.records.append(record)
            self._context.bus.publish(TurnEnded(record=record))
        if self._group is not None:
            self._go_on()

    # -- announcements and the alarm ------------------------------------------------------------------------------

    async def _say(self, announcement: _Announcement) -> None:
        context = self._context
        if announcement.chime:
            await context.loudspeaker.tone("announce", Rank.ANNOUNCEMENT)
        saying = context.voice.say(announcement.text)
        try:
            await saying.started(context.settings.tts_deadline_s)
            await context.loudspeaker.play(
                Rank.ANNOUNCEMENT,
                saying.pieces(),
                saying.rate_hz,
                text=announcement.text,
                stall_s=context.settings.play_deadline_s,
                volume_percent=announcement.volume_percent,
            )
        finally:
            saying.close()

    async def _sound_alarm(self) -> None:
        failed = False
        while self._context.agent.ringing():
            try:
                await self._context.loudspeaker.tone("alarm", Rank.ALARM)
                failed = False
            except StageError as error:
                if not failed:
                    log.warning("alarm: %s", error)
                failed = True
            await asyncio.sleep(ALARM_RETRY_S if failed else ALARM_PAUSE_S)
