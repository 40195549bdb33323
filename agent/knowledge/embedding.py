"""Keeps the vectors in step with the passages, in the background and after everything else.

The process that owns the vectors weighs 250 MB and takes seconds of a core to start, so it is started when
nothing has changed for a while, or when a question asks for it; and it is let go when all is done, unless
questions need it. Which version of the knowledge has its vectors is noted in a file beside them.
"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import structlog

from agent.knowledge.archive import Archive
from agent.knowledge.vectors import Setup
from agent.knowledge.vectors.client import Away, Vectors

QUIET = 15.0
"""Seconds without a change before vectors are made."""
AT_LAST = 120.0
"""Seconds after which they are made although there are still changes."""
BATCH = 8
"""Passages in one request: some three seconds of work at low priority."""
AFTER_A_FAULT = 60.0

log = structlog.get_logger()


class Embedding:
    """Makes and drops vectors. `wake` says that something may have changed, `hurry` that a question waits."""

    def __init__(self, archive: Archive, vectors: Vectors, setup: Setup, *, quiet: float = QUIET) -> None:
        self._archive = archive
        self._vectors = vectors
        self._quiet = quiet
        self._note = setup.folder / "version.json"
        self._name = setup.name
        self._changed = asyncio.Event()
        self._asked = asyncio.Event()

    def wake(self) -> None:
        """The knowledge may have changed."""
        self._changed.set()

    def hurry(self) -> None:
        """A question wants to be understood: the process is needed now, stays, and is started again when it died."""
        self._asked.set()
        if not self._vectors.connected:
            self._changed.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                if await self.behind():
                    await self._settle()
                    await self.catch_up()
                elif self._asked.is_set() and not self._vectors.connected:
                    await self._vectors.connect()
                if not self._asked.is_set():
                    await self._vectors.close()
                await self._next()
            except Away as error:
                log.warning("vectors are not made for now", why=str(error))
                await asyncio.sleep(AFTER_A_FAULT)

    async def _next(self) -> None:
        """Returns when there may be something to do."""
        waits = [asyncio.create_task(self._changed.wait())]
        if not self._asked.is_set():
            waits.append(asyncio.create_task(self._asked.wait()))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._changed.clear()

    async def _settle(self) -> None:
        """Waits until nothing has changed for a while, or a question asks."""
        loop = asyncio.get_running_loop()
        end = loop.time() + AT_LAST
        while not self._asked.is_set() and loop.time() < end:
            self._changed.clear()
            waits = {asyncio.create_task(self._changed.wait()), asyncio.create_task(self._asked.wait())}
            done, late = await asyncio.wait(waits, timeout=self._quiet, return_when=asyncio.FIRST_COMPLETED)
            for wait in late:
                wait.cancel()
            if not done:
                return

    async def behind(self) -> bool:
        """Whether some passages have no vector yet, as far as the note says."""
        return await asyncio.to_thread(self._noted) != await self._mark()

    async def _mark(self) -> list[object]:
        totals = await self._archive.totals()
        return [totals.identity, totals.version, self._name]

    def _noted(self) -> object:
        try:
            return json.loads(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    async def catch_up(self, tell: Callable[[int, int], None] | None = None) -> None:
        """Makes what is missing and drops what is gone. `tell` is told how many of how many: somebody waits.

        Raises Away.
        """
        mark = await self._mark()
        missing, extra = await self._vectors.missing(await self._archive.keys())
        for start in range(0, len(missing), BATCH):
            if tell:
                tell(start, len(missing))
            passages = await self._archive.by_key(missing[start : start + BATCH])
            await self._vectors.put({one.key: one.searched for one in passages}, urgent=tell is not None)
        if extra:
            alive = await self._archive.alive(extra)  # another replica may have stored them meanwhile
            await self._vectors.drop([key for key in extra if key not in alive])
        if missing or extra:
            log.info("the vectors are up to date", made=len(missing), dropped=len(extra))
        await asyncio.to_thread(_write, self._note, json.dumps(mark))


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
