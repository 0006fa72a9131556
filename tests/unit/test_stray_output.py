"""In: a program whose libraries write on standard error. Out: nothing of it above DEBUG, and its last words when it dies."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

import pytest

from appliance.supervisor.stray import KEPT_LINES, LINE_BYTES, StrayOutput


async def written(data: bytes, *, ends: bool = True) -> StrayOutput:
    stray = StrayOutput("sound")
    await stray.open()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", f"import os; os.write(2, {data!r})", stderr=stray.write_fd
    )
    os.close(stray.write_fd)
    await process.wait()
    for _ in range(20):
        await asyncio.sleep(0.005)
    stray.close()
    return stray


async def test_lines_are_debugging_and_the_last_are_kept(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    stray = await written(
        b"INFO: Created XNNPACK delegate\n\nALSA lib pcm.c: Unknown PCM\na\nb\nterminate called\nhalf"
    )
    assert [record.levelno for record in caplog.records if record.name.endswith("stray")] == [logging.DEBUG] * 5
    assert "sound: ALSA lib pcm.c: Unknown PCM" in caplog.text
    assert stray.last_words == "a | b | terminate called"
    assert len(stray.last_words.split(" | ")) == KEPT_LINES


async def test_an_endless_line_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    stray = await written(b"x" * 5000)
    assert stray.last_words and max(len(word) for word in stray.last_words.split(" | ")) <= LINE_BYTES
