"""Reads files without holding up the hub: text in a thread, everything that takes a parser in a process of its own.

What a broken PDF does to a parser written in C, and what a hostile archive does to memory, ends that process and
nothing else: its file is reported as not read, and the next one goes to a new process. It lives as long as there
is something to read, so that the parsers weigh nothing while the hub is idle.
"""

import asyncio
import contextlib
import json
from asyncio.subprocess import Process
from pathlib import Path

from agent.knowledge import process
from agent.knowledge.document import Part, Reading
from agent.knowledge.readers import File, NotRead, light, read

SECONDS = 120.0
"""How long one file may take."""
LONGEST = 256 * 2**20


class Readers:
    """Reads one file at a time. `most`: the largest file, in bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._process: Process | None = None
        self._lock = asyncio.Lock()

    async def read(self, path: Path, known: str = "") -> File:
        """What is in the file now; no reading when its digest is `known`. Raises NotRead."""
        if light(path):
            return await asyncio.to_thread(read, path, known=known, most=self._most)
        async with self._lock:
            try:
                async with asyncio.timeout(SECONDS):
                    return await self._asked(path, known)
            except TimeoutError:
                await self._end()
                raise NotRead(f"takes longer than {SECONDS:.0f} s to read") from None
            except asyncio.CancelledError:
                await self._end()
                raise

    async def _asked(self, path: Path, known: str) -> File:
        if self._process is None:
            self._process = await process.start("agent.knowledge.readers", limit=LONGEST)
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101 — for the type checker; both are pipes
        assert stdout is not None  # noqa: S101
        line = b""
        with contextlib.suppress(OSError, ValueError):
            stdin.write(json.dumps({"path": str(path), "known": known, "most": self._most}).encode() + b"\n")
            await stdin.drain()
            line = await stdout.readline()
        if not line:
            await self._end()
            raise NotRead("its parser crashed")
        return _file(json.loads(line))

    async def close(self) -> None:
        """Nothing more is read for now."""
        async with self._lock:
            await self._end()

    async def _end(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._process = None


def _file(answer: dict[str, object]) -> File:
    if "error" in answer:
        raise NotRead(str(answer["error"]))
    parts = answer.get("parts")
    if not isinstance(parts, list):
        return File(str(answer["digest"]), None)
    reading = Reading(str(answer["title"]), tuple(Part(*part) for part in parts), str(answer["url"]))
    return File(str(answer["digest"]), reading)
