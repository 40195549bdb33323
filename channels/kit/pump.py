"""A live reply on a platform that is told of every change: the latest text, one change at a time, not too often."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from hub.channel import Live
from hub.errors import DeliveryError, Faulty, NotStored, Unknown

log = structlog.get_logger()


class Pump(Live):
    """Calls `show` with the latest text while it is newer than what was shown, at most once an `interval`.

    `show` raises DeliveryError: a fault loses one change, a refusal ends the growing. What becomes of the reply is
    decided by whoever sends its final text.
    """

    def __init__(self, handle: str, show: Callable[[str], Awaitable[None]], *, interval: float) -> None:
        self.handle = handle
        self._show = show
        self._interval = interval
        self._text = ""
        self._shown: str | None = None
        self._closed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def grow(self, text: str) -> None:
        self._text = text
        if not self._closed.is_set() and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        self._closed.set()
        if self._task is not None:
            await asyncio.wait((self._task,))

    async def _run(self) -> None:
        while self._text != self._shown and not self._closed.is_set():
            text = self._text
            try:
                await self._show(text)
            except (Faulty, Unknown) as error:
                log.info("live reply: a change was lost", code=error.code)
                await self._rest()
                return
            except (DeliveryError, NotStored) as error:
                log.warning("live reply refused", error=type(error).__name__, code=getattr(error, "code", ""))
                self._closed.set()
                return
            self._shown = text
            await self._rest()

    async def _rest(self) -> None:
        """The pause between two changes, cut short when the answer is complete."""
        try:
            async with asyncio.timeout(self._interval):
                await self._closed.wait()
        except TimeoutError:
            pass
