"""In: recordings. Out: turns of the real program that heard them as its microphone."""
