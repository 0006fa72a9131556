"""In: encoded frames and two ways through them. Out: where the one leaves sound unexplained that the other explains.

The sum over a long sentence hides one word that does not fit. Here the ways are compared stretch by stretch, as a forced
alignment is: in natural logs, a frame of 40 ms at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.engines.stt.transducer import Encoded, Transducer

BLANK = 0
Timed = Sequence[tuple[int, int]]
"""(frame, piece said in it), in order."""


@dataclass(frozen=True, slots=True)
class Way:
    """What each frame holds along one way."""

    own: NDArray[np.float32]
    """Natural log, of what the way says in the frame: a piece or the blank."""
    blank: NDArray[np.float32]
    loudest: NDArray[np.float32]
    """Of the likeliest piece that is not the blank."""
    said: NDArray[np.bool_]
    """Whether the way says a piece in the frame."""


def along(transducer: Transducer, encoded: Encoded, timed: Timed) -> Way:
    """The frames behind what was said before each; one run of the joiner, about 1 ms for 4 s."""
    count = len(encoded)
    contexts, pieces = np.empty(count, np.int64), np.zeros(count, np.int64)
    context, begin = transducer.first_context(), 0
    for frame, piece in timed:
        contexts[begin : frame + 1] = context
        pieces[frame] = piece
        context = int(transducer.after(np.array([context]), np.array([piece]))[0])
        begin = frame + 1
    contexts[begin:] = context
    scores = transducer.along(encoded, contexts)
    own = scores[np.arange(count), pieces]
    return Way(own, scores[:, BLANK], scores[:, 1:].max(axis=1), pieces != BLANK)
