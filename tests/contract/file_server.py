"""In: bytes by path. Out: a real HTTP server with Range on 127.0.0.1, and hands to make it misbehave."""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


class FileServer:
    """`with FileServer({"/a": b"…"}) as server:` serves until the block ends."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.requests: list[tuple[str, str | None]] = []
        """(path, Range header) of every request, in order."""
        self.ranges = True
        self._cuts: dict[str, int] = {}
        self._refusals: dict[str, list[int]] = {}
        handler = type("Handler", (_Handler,), {"owner": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def cut(self, path: str, after_bytes: int) -> None:
        """The next answer for `path` ends after so many bytes, though more were promised."""
        self._cuts[path] = after_bytes

    def refuse(self, path: str, *codes: int) -> None:
        """The next answers for `path` are these codes."""
        self._refusals[path] = list(codes)

    def next_refusal(self, path: str) -> int | None:
        codes = self._refusals.get(path)
        return codes.pop(0) if codes else None

    def next_cut(self, path: str) -> int | None:
        return self._cuts.pop(path, None)

    def __enter__(self) -> FileServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    owner: FileServer

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.owner.requests.append((self.path, asked))
        code = self.owner.next_refusal(self.path)
        body = self.owner.files.get(self.path)
        if code is not None or body is None:
            self.send_error(code or 404)
            return
        start = int(re.findall(r"\d+", asked)[0]) if asked and self.owner.ranges else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        cut = self.owner.next_cut(self.path)
        self.wfile.write(body[start:] if cut is None else body[start : start + cut])

    def log_message(self, format: str, *args: object) -> None:
        """Tests look at `requests` instead."""
