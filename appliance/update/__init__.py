"""In: a signed release. Out: the device runs it, or the one before. Standard library only; it runs outside every release."""
