"""In: rows of the suite `commands`. Out: its pictures: accuracy over noise, confusions, what is refused, confidence.

Rows hold right, right_if_taken (as if every reading were taken), snr_db (None: clean), confidence (None: nothing heard),
wanted (the label's intent; None: must be refused), kind (folder) and accept_from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from appliance.bench.charts import bars, curves, distributions

Drawn = tuple[str, str | None, str]
"""Heading, picture, caption."""
Rows = Sequence[dict[str, Any]]

MOST_CONFUSED = 20
WIDE_LABELS = 330.0
STEPS = [step / 50 for step in range(51)]


def drawings(rows: Rows) -> list[Drawn]:
    """All that the rows allow; None as a picture where they hold nothing to draw."""
    wanted = [row for row in rows if row.get("wanted") is not None]
    foreign = [row for row in rows if row.get("wanted") is None]
    return [
        ("Right over noise", _over_noise(wanted), "Labelled commands taken with the right intent and every slot."),
        ("What is taken for what", _confusions(wanted), "Labelled → taken; over all levels of noise."),
        ("Accepting and refusing", _trade(rows), _TRADE_CAPTION),
        (
            "Foreign speech refused, by kind",
            _kinds(foreign),
            "Folders of recordings that hold no command of the grammar.",
        ),
        ("Confidence", distributions(_confidences(rows), "confidence"), _SPREAD_CAPTION),
    ]


def trade_and_spread(rows: Rows) -> list[Drawn]:
    """The threshold's trade-off and the spread of confidence, for the suite `near` too."""
    return [
        ("Accepting and refusing", _trade(rows), _TRADE_CAPTION),
        ("Confidence", distributions(_confidences(rows), "confidence"), _SPREAD_CAPTION),
    ]


def _over_noise(wanted: Rows) -> str | None:
    by_snr: dict[float, list[bool]] = {}
    for row in wanted:
        if row.get("snr_db") is not None:
            by_snr.setdefault(row["snr_db"], []).append(row["right"])
    shares = [(snr_db, 100 * sum(right) / len(right)) for snr_db, right in by_snr.items()]
    if len(shares) < 2:
        return None
    floor = max(0.0, 10 * ((min(share for _, share in shares) - 5) // 10))  # the same everywhere is a line, too
    return curves({"commands right": shares}, "dB SNR", "% right", floor)


def _confusions(wanted: Rows) -> str | None:
    """Pairs of what was labelled and what was taken, the most frequent first."""
    counted = Counter(pair for row in wanted for pair in row.get("confused", ()))
    rows = {pair: float(count) for pair, count in counted.most_common(MOST_CONFUSED)}
    return bars(rows, "times", WIDE_LABELS, whole=True)


def _trade(rows: Rows) -> str | None:
    """Both curves over the confidence from which a reading is taken; None where nothing has to be refused."""
    foreign = [row.get("confidence") or 0.0 for row in rows if row.get("wanted") is None]
    commands = [row for row in rows if row.get("wanted") is not None]
    right = [row.get("confidence") or 0.0 for row in commands if row.get("right_if_taken", row["right"])]
    wrong = [row.get("confidence") or 0.0 for row in commands if not row.get("right_if_taken", row["right"])]
    if not foreign or not right:
        return None
    taken = [(step, 100 * sum(value >= step for value in right) / len(commands)) for step in STEPS]
    mistaken = [(step, 100 * sum(value >= step > 0 for value in wrong) / len(commands)) for step in STEPS[1:]]
    refused = [(step, 100 * sum(value < step for value in foreign) / len(foreign)) for step in STEPS]
    lines = {"commands taken, right": taken, "commands taken wrongly": mistaken, "foreign speech refused": refused}
    return curves(lines, "confidence", "%", 0.0, mark=(rows[0].get("accept_from"), "taken from here"))


def _kinds(foreign: Rows) -> str | None:
    kinds: dict[str, list[bool]] = {}
    for row in foreign:
        kinds.setdefault(str(row.get("kind", "foreign")), []).append(bool(row["right"]))
    named = {f"{kind}, {len(refused)}": 100 * sum(refused) / len(refused) for kind, refused in sorted(kinds.items())}
    return bars(named, "% refused", WIDE_LABELS / 1.5, most=100.0) if named else None


def _confidences(rows: Rows) -> dict[str, list[float]]:
    groups: dict[str, list[float]] = {"right": [], "wrong": [], "foreign": []}
    for row in rows:
        if isinstance(row.get("confidence"), int | float):
            right = row.get("right_if_taken", row["right"])
            groups["foreign" if row.get("wanted") is None else "right" if right else "wrong"].append(row["confidence"])
    return groups


_TRADE_CAPTION = (
    "Over the confidence from which a reading is taken; a good threshold keeps the first and the last high."
)
_SPREAD_CAPTION = "A dot is one value, the thick line the median, the thin red one the 95th percentile."
