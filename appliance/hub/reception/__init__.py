"""What the broker brings: received on paho's thread, decoded and checked in the event loop."""
