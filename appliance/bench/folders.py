"""In: a folder. Out: the labelled sets in it, each with its own rooms and sentences, and a fair share of their recordings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from appliance.bench.labels import Label, read_labels


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Recordings that belong together."""

    name: str
    labels: list[Label]
    home: Path | None
    sentences: tuple[Path, ...]


def labelled_sets(root: Path, most: int | None) -> list[LabelledSet]:
    """`root` itself where it has labels.json, else its folders that have; at most `most` recordings in all.

    Where that is too few for all, the largest sets give way. Raises UsageError where there is none.
    """
    folders = sorted(file.parent for file in root.glob("*/labels.json"))
    if (root / "labels.json").is_file() or not folders:
        folders = [root]
    sets = [_set(folder) for folder in folders]
    if most is None:
        return sets
    shares = _shares([len(each.labels) for each in sets], most)
    return [replace(each, labels=each.labels[:share]) for each, share in zip(sets, shares, strict=True) if share]


def _set(folder: Path) -> LabelledSet:
    home = folder / "home.json"
    return LabelledSet(
        folder.name, read_labels(folder), home if home.is_file() else None, tuple(sorted(folder.glob("sentences.y*ml")))
    )


def _shares(sizes: list[int], most: int) -> list[int]:
    """How many of each, `most` at the most: everybody gets one more in turn until all are given."""
    shares = [0] * len(sizes)
    while sum(shares) < min(most, sum(sizes)):
        for number, size in enumerate(sizes):
            if shares[number] < size and sum(shares) < most:
                shares[number] += 1
    return shares
