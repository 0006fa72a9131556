"""In: the header's GPIO chip. Out: pins through gpiozero and lgpio; who holds a busy one, in one sentence."""

from __future__ import annotations

import contextlib
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from gpiozero import Device, GPIOZeroError
from gpiozero.exc import BadPinFactory

from appliance.errors import DeviceError
from appliance.panel.drivers.library import line_user, open_chip

Chip = Callable[[], int | None]
"""Number of the GPIO chip that is the 40-pin header, found by its label (`pinctrl-rp1` on a Pi 5: its number changed
from 4 to 0 with kernel 6.6.45); None where there is none."""
BUSY = ("busy", "in use")


class Pins:
    """The header's pins. One factory for button, LEDs and power pins; opened by the first who asks."""

    def __init__(self, chip: Chip, factory: Any = None) -> None:
        """`factory`: a gpiozero pin factory that is used as it is (gpiozero's MockFactory in tests)."""
        self._chip = chip
        self._factory = factory
        self._trigger = threading.Lock()  # button and LEDs ask on threads of their own

    def factory(self) -> Any:
        """The pin factory. Raises DeviceError where there is no header."""
        with self._trigger:
            if self._factory is None:
                number = self._chip()
                if number is None:
                    raise DeviceError(
                        "no-gpio", "No GPIO: this machine has no Raspberry Pi header (no chip by that label)."
                    )
                with translated("GPIO", number):
                    self._factory = Device.pin_factory = open_chip(number)
            return self._factory

    def holder(self, pin: int) -> str | None:
        """Who holds `pin`, as the kernel knows it."""
        number = self._chip()
        return None if number is None else line_user(number, pin)

    @contextlib.contextmanager
    def taking(self, pin: int) -> Iterator[Any]:
        """The factory, to take `pin` with; what goes wrong is raised as DeviceError that names the pin's holder."""
        factory = self.factory()
        try:
            yield factory
        except Exception as error:  # every error of gpiozero's and lgpio's becomes a DeviceError
            refused = self._refused(pin, error)
            # The error's frames hold the half-made device, and with it gpiozero's reservation of the pin: whoever keeps
            # the error (status does) would keep the pin from ever being taken again.
            traceback.clear_frames(error.__traceback__)
            raise refused from error

    def _refused(self, pin: int, error: Exception) -> DeviceError:
        text = str(error)
        if any(word in text.lower() for word in BUSY):
            holder = self.holder(pin)
            who = f"'{holder}'" if holder else "another program"
            return DeviceError("pin-busy", f"GPIO{pin} is held by {who}: end it, or choose another pin.")
        if isinstance(error, GPIOZeroError | OSError | ValueError):
            return DeviceError("gpio", f"GPIO{pin}: {text.rstrip('.')}.")
        return DeviceError("gpio", f"GPIO{pin} cannot be used: {type(error).__name__} {text.strip(chr(39))}.")


@contextlib.contextmanager
def translated(what: str, chip: int) -> Iterator[None]:
    """lgpio's and gpiozero's errors as DeviceError."""
    try:
        yield
    except DeviceError:
        raise
    except BadPinFactory as error:
        raise DeviceError("no-gpio", f"No {what}: {error}.") from error
    except Exception as error:
        if isinstance(error, PermissionError) or "permission" in str(error).lower():
            text = f"No permission for /dev/gpiochip{chip}: put this user into the group 'gpio'."
            raise DeviceError("no-permission", text) from error
        raise DeviceError("no-gpio", f"/dev/gpiochip{chip} cannot be opened: {str(error).strip(chr(39))}.") from error
