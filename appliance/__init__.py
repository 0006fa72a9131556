"""A voice appliance: microphone in, spoken answer out, everything in between on the device."""

__version__ = "0.1.0"
