"""In: a URL and a part file. Out: the file's bytes, resumed where an earlier attempt was cut."""

from __future__ import annotations

import http.client
import random
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from appliance.errors import ModelError

Progress = Callable[[str, int, int | None], None]
"""Called with a file's name, the bytes that are here and the bytes there will be (None: not known)."""

TIMEOUT_S = 15.0
"""Longest silence of the server, at connecting and at reading."""
ATTEMPTS = 3
"""Attempts without a single new byte before giving up; any progress starts the count again."""
BACK_OFF_S = 1.0
"""Upper end of the first pause; it doubles, and the pause is drawn between 0 and it (full jitter)."""
CHUNK_BYTES = 1 << 16
HTTP_PARTIAL = 206
HTTP_RANGE_REFUSED = 416
WORTH_A_RETRY = {408, 425, 429, 500, 502, 503, 504}


class _Cut(Exception):
    """The connection gave less than it promised."""


def download(url: str, part: Path, size: int | None, progress: Progress, back_off_s: float = BACK_OFF_S) -> None:
    """Completes `part`, which may hold the beginning of the file already. Blocks for as long as bytes arrive.

    `size` in bytes, where it is known, bounds what is taken. Raises ModelError when the server refuses or when ATTEMPTS
    in a row brought nothing (what came stays in `part` for the next time); OSError when the disk refuses.
    """
    name = url.rsplit("/", 1)[1]
    failures = 0
    while True:
        before = _length(part)
        if size is not None and before >= size:
            return
        try:
            _attempt(url, part, size, progress)
            return
        except urllib.error.HTTPError as error:
            if error.code == HTTP_RANGE_REFUSED and before:
                part.unlink()
            elif error.code not in WORTH_A_RETRY:
                raise ModelError(
                    "refused", f"{name}: the server answers {error.code} {error.reason} to {url}."
                ) from error
            reason: Exception = error
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError, _Cut) as error:
            reason = error
        failures = 0 if _length(part) > before else failures + 1
        if failures >= ATTEMPTS:
            raise ModelError("unreachable", f"{name} cannot be fetched from {url}: {_words(reason)}.") from reason
        time.sleep(random.uniform(0, back_off_s * 2**failures))


def _attempt(url: str, part: Path, size: int | None, progress: Progress) -> None:
    start = _length(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
        if start and not _resumes(response, start):
            start = 0  # a server without Range sends everything again
        length = response.headers.get("Content-Length")
        promised = start + int(length) if length is not None else size
        with part.open("r+b" if start else "wb") as out:
            out.seek(start)
            done = start
            while chunk := response.read(CHUNK_BYTES):
                out.write(chunk)
                done += len(chunk)
                progress(part.name.removesuffix(".part"), done, promised)
                if size is not None and done > size:
                    part.unlink()
                    raise ModelError("wrong-size", f"{url} sends more than the {size} bytes of the catalogue.")
    if promised is not None and done < promised:
        raise _Cut(f"the connection ended after {done} of {promised} bytes")


def _resumes(response: http.client.HTTPResponse, start: int) -> bool:
    return response.status == HTTP_PARTIAL and response.headers.get("Content-Range", "").startswith(f"bytes {start}-")


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _words(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    return str(getattr(reason, "strerror", None) or reason).rstrip(".") or type(reason).__name__
