"""In: the prefix and a device's id. Out: the name of every topic; nobody else spells one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topics:
    """Topics of one device below `<prefix>/<device>`, and those of the home below `<prefix>/home`."""

    prefix: str
    device: str
    discovery_prefix: str = "homeassistant"

    @property
    def base(self) -> str:
        return f"{self.prefix}/{self.device}"

    def of(self, name: str) -> str:
        """A topic of this device: availability, state, metrics, turn, info, claim, reply, alert/NAME, event/KIND."""
        return f"{self.base}/{name}"

    @property
    def commands(self) -> str:
        """Filter of all commands to this device."""
        return f"{self.base}/cmd/+"

    @property
    def home_request(self) -> str:
        return f"{self.base}/home/request"

    @property
    def home_response(self) -> str:
        return f"{self.base}/home/response"

    @property
    def home_availability(self) -> str:
        """Retained, `online` while somebody answers home requests."""
        return f"{self.prefix}/home/availability"

    @property
    def home_names(self) -> str:
        """Retained JSON of areas and entities."""
        return f"{self.prefix}/home/names"

    @property
    def claims(self) -> str:
        """Filter of every device's claim to a wake word."""
        return f"{self.prefix}/+/claim"

    @property
    def discovery(self) -> str:
        """Retained; Home Assistant's one message for a whole device."""
        return f"{self.discovery_prefix}/device/{self.prefix.replace('/', '_')}_{self.device}/config"

    @property
    def home_assistant_status(self) -> str:
        """Home Assistant's own birth and last will."""
        return f"{self.discovery_prefix}/status"
