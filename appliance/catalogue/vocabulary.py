"""In: a sentencepiece model (bpe.model). Out: bpe.vocab, the text form with scores that hot words need.

sentencepiece itself would be a dependency of 1–3 MB for this one conversion of one table; the table's wire format
(protocol buffers, ModelProto field 1 = SentencePiece{1: piece, 2: score}) is frozen, and what is made for the 3.3M
model is held to a published hash.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from appliance.errors import ModelError

PIECES, PIECE, SCORE = 1, 1, 2  # field numbers of sentencepiece_model.proto
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types


def vocabulary_of(model: bytes) -> bytes:
    """`piece<TAB>score` lines in UTF-8, the scores written as Python writes floats, as icefall's exporter does.

    Raises ModelError where `model` is no sentencepiece model.
    """
    try:
        pieces = [dict(_fields(value)) for number, value in _fields(model) if number == PIECES]
        lines = [f"{piece[PIECE].decode()}\t{struct.unpack('<f', piece[SCORE])[0]}\n" for piece in pieces]
    except (IndexError, KeyError, ValueError, struct.error) as error:
        raise ModelError("bad-file", "The bpe.model is no sentencepiece model; no bpe.vocab can be made.") from error
    if not lines:
        raise ModelError("bad-file", "The bpe.model holds no pieces; no bpe.vocab can be made.")
    return "".join(lines).encode()


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """(field number, raw value) of one protocol buffers message; a varint's value is left out, none is needed."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        wire = key & 7
        if wire == VARINT:
            _, at = _varint(message, at)
            continue
        if wire == BYTES:
            length, at = _varint(message, at)
        elif wire in (FIXED32, FIXED64):
            length = 4 if wire == FIXED32 else 8
        else:
            raise ValueError(f"wire type {wire}")
        if at + length > len(message):
            raise ValueError("truncated")
        yield key >> 3, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
