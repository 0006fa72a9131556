"""In: /proc, /dev and ALSA. Out: what this machine has, without taking it. Boards are recognised in `panel`."""
