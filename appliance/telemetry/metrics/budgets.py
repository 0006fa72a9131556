"""In: the name of a measure. Out: its budget: the limits, and what to do when it is over them.

The one table of every budget. `bench` judges its figures with it, alerts their metrics; nobody else holds a limit.
"""

from __future__ import annotations

from appliance.telemetry.metrics.budget import Budget, Direction, Rule


def percentiles(measure: str) -> tuple[str, str]:
    """The figures of a distribution that are judged: its median and its 95th percentile."""
    return f"{measure}.p50", f"{measure}.p95"


def _stage(
    name: str, target: float, warning: float, critical: float, goal: float, remedy: str, rule: Rule = Rule.BY_SHARE
) -> Budget:
    """A time of a turn in ms, judged in the suite `latency` and in telemetry."""
    return Budget(
        name=name, unit="ms", target=target, warning=warning, critical=critical, goal=goal, rule=rule, remedy=remedy,
        measures=percentiles(name) + percentiles(f"latency.{name}"),
    )  # fmt: skip


_LOAD = "See `appliance status` for the process that takes the time, and close what else runs on the device."

BUDGETS: tuple[Budget, ...] = (
    # Times of a turn (MEASURES, clocks).
    _stage("capture_ms", 50, 75, 100, 20, "Shorten `sound.period_ms`, or look for a driver that adds buffers."),
    Budget(
        name="front_end_ms", unit="ms", target=10, warning=15, critical=20, goal=1, remedy=_LOAD,
        measures=percentiles("front_end_ms"),
    ),
    Budget(
        name="wake_ms", unit="ms", target=100, warning=150, critical=250, goal=0,
        remedy="Use a wake model with a shorter window, and check that nothing starves the sound process.",
        measures=percentiles("wake_ms") + percentiles("latency.wake_ms") + percentiles("wake.wake_ms"),
    ),
    _stage("led_ms", 50, 100, 150, 20, "Check the speed of the LED bus with `appliance doctor`."),
    _stage("endpoint_ms", 400, 700, 1000, 200,
           "Lower `conversation.complete_wait_ms`, and keep `conversation.flush` switched on."),
    _stage("stt_ms", 300, 500, 1000, 20, "Use a smaller speech model (`models.profile`), or fewer hypotheses."),
    _stage("intent_ms", 100, 200, 400, 5, "Look for a sentence file with very many alternatives and split it."),
    _stage("action_ms", 100, 400, 800, 5, "See in the log which skill is slow; a home server far away is the usual cause."),
    Budget(
        name="tts_first_ms", unit="ms", target=200, warning=400, critical=600, goal=120,
        remedy="Keep `tts.warm` and the phrase cache switched on, or choose a smaller voice.",
        measures=percentiles("tts_first_ms") + percentiles("latency.tts_first_ms") + percentiles("tts.first_ms"),
    ),
    Budget(
        name="tts_cached_first_ms", unit="ms", target=200, warning=400, critical=600, goal=20,
        remedy="Check how fast the disk of the phrase cache reads.",
        measures=percentiles("tts_cached_first_ms") + percentiles("tts.cached_first_ms"),
    ),
    _stage("play_ms", 50, 75, 100, 20, "Lower `sound.playback_buffer_ms`, or take another loudspeaker driver."),
    Budget(
        name="response_ms", unit="ms", target=1500, warning=2500, critical=4000, goal=300, rule=Rule.VITAL,
        remedy="See on the turn's waterfall which stage takes the time, and follow its remedy.",
        measures=("response_ms.p50", "latency.response_ms.p50"),
    ),
    Budget(
        name="response_p95_ms", unit="ms", target=1500, warning=2500, critical=4000, goal=500, rule=Rule.VITAL,
        remedy="See on the worst turns' waterfall which stage takes the time, and follow its remedy.",
        measures=("response_ms.p95", "latency.response_ms.p95"),
    ),
    Budget(
        name="startup_s", unit="s", target=10, warning=15, critical=20, goal=3,
        remedy="See which child is ready last, and give it a smaller model or a faster disk.",
        measures=("startup.ready_s",),
    ),
    # Resources.
    Budget(
        name="cpu_idle_ratio", unit="of a core", target=0.2, warning=0.3, critical=0.5, goal=0.03, remedy=_LOAD,
        measures=("idle.cpu_ratio",),
    ),
    Budget(
        name="cpu_wake_ratio", unit="of a core", target=0.2, warning=0.3, critical=0.5, goal=0.005, remedy=_LOAD,
        measures=("wake.cpu_ratio",),
    ),
    Budget(name="cpu_voice_ratio", unit="of a core", target=0.4, warning=0.6, critical=0.8, remedy=_LOAD,
           measures=("commands.rtf",)),
    Budget(name="cpu_background_ratio", unit="of a core", target=0.1, warning=0.2, critical=0.3, goal=0.01, remedy=_LOAD),
    Budget(
        name="memory_idle_mb", unit="MB", target=512, warning=768, critical=1024, goal=250,
        remedy="Choose smaller models (`models.profile=tiny`).",
        measures=("idle.pss_mb",),
    ),
    Budget(
        name="memory_peak_mb", unit="MB", target=1024, warning=1536, critical=2048, goal=400, rule=Rule.VITAL,
        remedy="Restart the service, then choose smaller models (`models.profile=tiny`).",
    ),
    Budget(
        name="memory_growth_mb_per_hour", unit="MB/h", target=5, warning=10, critical=20, goal=0.5, rule=Rule.LEAK,
        remedy="Send a support bundle: memory that grows for hours is a defect.",
    ),
    Budget(
        name="disk_writes_mb_per_hour", unit="MB/h", target=50, warning=100, critical=200, goal=1,
        remedy="Lower `device.log_level`, and keep the journal in memory.",
        measures=("idle.written_mb_per_hour",),
    ),
    Budget(name="network_mbit_s", unit="Mbit/s", target=10, warning=20, critical=50, goal=0.01,
           remedy="Raise `telemetry.metrics_interval_s`."),
    # Of telemetry itself, which stands beside the table of MEASURES: looking and telling must not be felt.
    Budget(name="telemetry_cpu_ratio", unit="of a core", target=0.01, warning=0.02, critical=0.05,
           remedy="Raise `telemetry.metrics_interval_s`.", measures=("telemetry.cpu_ratio",)),
    Budget(name="telemetry_kbit_s", unit="kbit/s", target=10, warning=20, critical=50,
           remedy="Raise `telemetry.metrics_interval_s`.", measures=("telemetry.kbit_s",)),
    Budget(
        name="descriptors", unit="", target=100, warning=200, critical=500,
        remedy="Send a support bundle: descriptors that grow are a defect.", measures=("idle.descriptors",),
    ),
    Budget(
        name="threads", unit="", target=50, warning=100, critical=200,
        remedy="Send a support bundle: threads that grow are a defect.", measures=("idle.threads",),
    ),
    Budget(name="stt_model_mb", unit="MB", target=100, remedy="Choose a smaller speech model (`stt.model`)."),
    Budget(name="tts_voice_mb", unit="MB", target=150, remedy="Choose a smaller voice (`tts.voice`)."),
    Budget(name="tts_cache_hit_rate", unit="share", target=0.8, direction=Direction.AT_LEAST,
           remedy="Keep `tts.warm` switched on, and raise `tts.cache_mb`.", measures=("household.tts_cache_hit_rate",)),
    Budget(name="tts_cache_mb", unit="MB", target=500, remedy="Lower `tts.cache_mb`."),
    Budget(name="tts_rtf", unit="s per s", target=0.05, goal=0.02, remedy="Choose a smaller voice (`tts.voice`).",
           measures=("tts.rtf",)),
    Budget(name="uptime_share", unit="share", target=0.999, direction=Direction.AT_LEAST,
           remedy="See in the log why the service was restarted."),
    Budget(name="error_rate", unit="share", target=0.01, critical=0.05, rule=Rule.ERRORS,
           remedy="See in `appliance status` which engine fails, and `appliance doctor` for why."),
    Budget(name="intent_cache_hit_rate", unit="share", target=0.7, direction=Direction.AT_LEAST,
           remedy="Nothing is broken: the household says new things.", measures=("household.intent_cache_hit_rate",)),
    # Quality.
    Budget(
        name="wake_miss_rate", unit="share", target=0.02, critical=0.05,
        remedy="Try `appliance wake tune`, or move the device away from noise.", measures=("wake.miss_rate",),
    ),
    Budget(
        name="wake_miss_rate_noise", unit="share", target=0.05, critical=0.08, goal=0.02,
        remedy="Move the device away from the noise, or use more microphones.",
        measures=("wake.miss_rate@noise", "wake.miss_rate@10db"),
    ),
    Budget(
        name="wake_false_accepts_per_hour", unit="1/h", target=0.5, goal=0.1,
        remedy="Raise `wake.cutoffs` for the word that is taken wrongly.", measures=("wake.false_accepts_per_hour",),
    ),
    Budget(
        name="commands_right_rate", unit="share", target=0.95, goal=1.0, direction=Direction.AT_LEAST,
        remedy="See the confusion list; names that sound alike are the usual cause.", measures=("commands.right_rate",),
    ),
    Budget(
        name="commands_rejected_rate", unit="share", target=0.75, goal=1.0, direction=Direction.AT_LEAST,
        remedy="See the accept/reject curve for a better threshold.", measures=("commands.rejected_rate",),
    ),
    Budget(
        name="commands_coffee_right_rate", unit="share", target=0.98, goal=0.995, direction=Direction.AT_LEAST,
        remedy="See the confusion list; names that sound alike are the usual cause.",
        measures=("commands.right_rate@coffee",),
    ),
    Budget(
        name="commands_coffee_noise_right_rate", unit="share", target=0.96, goal=0.985, direction=Direction.AT_LEAST,
        remedy="See accuracy over SNR; the recogniser's model is the lever.",
        measures=("commands.right_rate@noise@coffee",),
    ),
    Budget(
        name="cut_off_rate", unit="share", target=0.01, goal=0.01,
        remedy="Raise `conversation.extendable_wait_ms` and `conversation.incomplete_wait_ms`.",
        measures=("latency.cut_off_rate",),
    ),
    Budget(
        name="echo_erle_db", unit="dB", target=33, goal=45, direction=Direction.AT_LEAST,
        remedy="Lower the loudspeaker's volume until nothing clips, and check the reference channel.",
        measures=("echo.erle_db",),
    ),
    Budget(
        name="echo_near_end_loss_db", unit="dB", target=1.5,
        remedy="Check the delay between reference and microphone.", measures=("echo.near_end_loss_db",),
    ),
    Budget(name="self_wakes", unit="", target=0, remedy="Raise `wake.speaking_cutoff_add`."),
    Budget(
        name="direction_error_deg", unit="°", target=10, goal=5,
        remedy="Check the board's name: the microphones' places come from it.", measures=("direction.error_deg.p50",),
    ),
)  # fmt: skip

_BY_MEASURE = {measure: budget for budget in BUDGETS for measure in (budget.name, *budget.measures)}


def budget_of(measure: str, variant: str = "") -> Budget | None:
    """The budget that judges `measure`, the one for this kind of data first; None where nobody set one."""
    return _BY_MEASURE.get(f"{measure}@{variant}") or _BY_MEASURE.get(measure)
