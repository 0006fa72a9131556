"""In: the raw channels of a microphone array. Out: one channel in which the speaker stands out of the noise."""
