"""What the device shows and feels: board, LEDs, button."""

from __future__ import annotations

from pydantic import Field

from appliance.settings.base import Section


class PanelSettings(Section):
    board: str = Field("auto", description="ReSpeaker board; auto: recognised; none: no hardware; virtual: terminal.")
