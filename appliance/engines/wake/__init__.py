"""In: audio that others send. Out: the wake words in it. The device's own microphone is the sound engine's."""
