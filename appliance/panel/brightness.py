"""In: settings, the hour of the day, a wish by telemetry. Out: how bright the LEDs are."""

from __future__ import annotations

import time

from appliance.settings.panel import PanelSettings


class Brightness:
    """Of a day and of a night."""

    def __init__(self, settings: PanelSettings) -> None:
        self._settings = settings
        self.day_percent = settings.brightness_percent
        """1..100; may be set at any time, until the next start."""

    def now(self) -> float:
        """0..1, by the local hour."""
        settings = self._settings
        if is_night(time.localtime().tm_hour, settings.night_from_hour, settings.night_to_hour):
            return settings.night_brightness_percent / 100
        return self.day_percent / 100


def is_night(hour: int, from_hour: int, to_hour: int) -> bool:
    """Whether `hour` (0..23) lies in the night, which may go over midnight."""
    if from_hour <= to_hour:
        return from_hour <= hour < to_hour
    return hour >= from_hour or hour < to_hour
