"""In: frames. Out: vendor requests to the USB arrays' own LED rings (XVF3000 and XVF3800), through pyusb."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Protocol

from appliance.errors import DeviceError
from appliance.panel.colour import Frame, light_8bit

VENDOR = 0x2886
XVF3000, XVF3800 = 0x0018, 0x001A
REQUEST_OUT = 0x40
"""To the device, vendor, for the device (USB 2.0, table 9-2)."""
TIMEOUT_MS = 300
"""A frame later than that is of no use."""


class Usb(Protocol):
    """The one method of a pyusb device that is used."""

    def ctrl_transfer(
        self, request_type: int, request: int, value: int, index: int, data: bytes, timeout: int
    ) -> int: ...


Find = Callable[[int, int], Any]
"""(vendor, product) → a pyusb device, or None."""


def find(vendor: int, product: int) -> Any:
    """Looks for the device on USB. Raises DeviceError where pyusb or libusb is not installed."""
    try:
        import usb.core
    except ImportError as error:
        raise DeviceError("no-pyusb", "LEDs over USB need pyusb: pip install 'appliance[usb]'.") from error
    try:
        return usb.core.find(idVendor=vendor, idProduct=product)
    except usb.core.NoBackendError as error:
        raise DeviceError("no-libusb", "LEDs over USB need libusb: apt install libusb-1.0-0.") from error


class UsbRing:
    """A ring behind vendor requests. The firmware's own light show is switched off while it is open."""

    def __init__(self, product: int, find_device: Find = find) -> None:
        """Raises DeviceError."""
        self._product = product
        self._usb: Usb | None = find_device(VENDOR, product)
        if self._usb is None:
            raise DeviceError("no-usb", f"The USB array {VENDOR:04x}:{product:04x} is not connected.")
        for value, index, data in OPENING[product]:
            self._send(value, index, data)

    def show(self, frame: Frame, brightness: float) -> None:
        value, index, data = ENCODE[self._product](frame, brightness)
        self._send(value, index, data)

    def close(self) -> None:
        if self._usb is None:
            return
        try:
            import usb.util

            usb.util.dispose_resources(self._usb)
        except (ImportError, OSError, AttributeError):
            pass  # the device is gone, and so is what there was to let go
        self._usb = None

    def _send(self, value: int, index: int, data: bytes) -> None:
        assert self._usb is not None
        try:
            sent = self._usb.ctrl_transfer(REQUEST_OUT, 0, value, index, data, TIMEOUT_MS)
        except OSError as error:  # usb.core.USBError is one
            if error.errno == 13:
                text = (
                    "No permission for the USB array: a udev rule must give it to this user (see overlays/README.md)."
                )
                raise DeviceError("no-permission", text) from error
            raise DeviceError("usb", f"The USB array refused its LEDs: {error.strerror or error}.") from error
        if sent != len(data):
            raise DeviceError(
                "usb", f"The USB array took {sent} of {len(data)} bytes: its ring is shorter than configured."
            )


Request = tuple[int, int, bytes]
"""(wValue, wIndex, data)."""


def encode_xvf3000(frame: Frame, brightness: float) -> Request:
    """Command 6 ('show') at index 0x1C: red, green, blue, 0 for each pixel (respeaker/pixel_ring)."""
    return 6, 0x1C, b"".join(bytes((*light_8bit(colour, brightness), 0)) for colour in frame)


def encode_xvf3800(frame: Frame, brightness: float) -> Request:
    """LED_RING_COLOR, resource 20, command 19: 0x00RRGGBB, little-endian, a word for each pixel (firmware 1.0.8 on)."""
    words = [red << 16 | green << 8 | blue for red, green, blue in (light_8bit(c, brightness) for c in frame)]
    return 19, 20, struct.pack(f"<{len(words)}I", *words)


ENCODE: dict[int, Callable[[Frame, float], Request]] = {XVF3000: encode_xvf3000, XVF3800: encode_xvf3800}
OPENING: dict[int, tuple[Request, ...]] = {
    # brightness to the top of its 5 bits: dimming is done here; the centre LED off
    XVF3000: ((0x20, 0x1C, b"\x1f"), (0x22, 0x1C, b"\x00")),
    # LED_BRIGHTNESS 255, LED_GAMMIFY off, LED_EFFECT 5: colours a pixel
    XVF3800: ((13, 20, b"\xff"), (14, 20, b"\x00"), (12, 20, b"\x05")),
}
