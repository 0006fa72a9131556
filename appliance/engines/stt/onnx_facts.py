"""In: an ONNX file. Out: the key-value facts its exporter wrote into it, without loading the network.

Only the outermost protobuf record is walked (onnx.proto: ModelProto.metadata_props is field 14, a
StringStringEntryProto with key 1 and value 2); the graph itself is skipped by its length.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from appliance.errors import ModelError

METADATA_FIELD = 14
MOST_BYTES = 1 << 20
"""No sane metadata entry is longer."""


def facts_of(file: Path) -> dict[str, str]:
    """Metadata of the model in `file`. Raises ModelError if it is no ONNX file or cannot be read."""
    found: dict[str, str] = {}
    try:
        with file.open("rb") as stream:
            size = file.stat().st_size
            while stream.tell() < size:
                field, kind = divmod(_varint(stream), 8)
                if kind == 2 and field == METADATA_FIELD:
                    key, value = _entry(stream.read(min(_varint(stream), MOST_BYTES)))
                    found[key] = value
                else:
                    _skip(stream, kind, size)
    except (OSError, EOFError, ValueError) as error:
        raise ModelError("model-unreadable", f"{file.name} is no readable ONNX model ({error}).") from error
    return found


def _varint(stream: BinaryIO) -> int:
    value = shift = 0
    while shift < 64:
        byte = stream.read(1)
        if not byte:
            raise EOFError("it ends in the middle")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
        shift += 7
    raise ValueError("a number is too long")


def _skip(stream: BinaryIO, kind: int, size: int) -> None:
    if kind == 0:
        _varint(stream)
        return
    if kind not in (1, 2, 5):
        raise ValueError("not a protobuf record")
    length = _varint(stream) if kind == 2 else {1: 8, 5: 4}[kind]
    if stream.tell() + length > size:
        raise EOFError("it is truncated")
    stream.seek(length, 1)


def _entry(record: bytes) -> tuple[str, str]:
    texts = {1: "", 2: ""}
    at = 0
    while at < len(record):
        field, at = record[at] >> 3, at + 1
        length = shift = 0
        while True:
            byte, at = record[at], at + 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        texts[field] = record[at : at + length].decode("utf-8", "replace")
        at += length
    return texts[1], texts[2]
