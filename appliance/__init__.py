"""A voice appliance: microphone in, spoken answer out, everything in between on the device."""

import os

__version__ = "0.1.0"

# onnxruntime keeps a device id and an event store and reports to its maker, unless its library finds this when it is
# loaded. Every process of ours imports this package before anything else, and its children inherit the environment.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
