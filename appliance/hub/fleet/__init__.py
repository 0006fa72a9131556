"""Every device in memory, and what changed; silence, floods, doubles and wrong clocks are found here."""
