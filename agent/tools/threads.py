"""Work that blocks, beside the event loop: so much at once, and none of it keeps the hub from stopping."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

MOST = 4
"""Threads of one tool; what hangs in all of them holds up no other tool."""


class Threads:
    """Runs functions in daemon threads, which end with the process. A place is free again when its thread ends."""

    def __init__(self, most: int = MOST) -> None:
        self._free = asyncio.Semaphore(most)

    async def run(self, work: Callable[[], Any]) -> Any:
        """What the function returns or raises. Whoever is cancelled here leaves it running."""
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def end(result: Any, error: BaseException | None) -> None:
            self._free.release()
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)

        def body() -> None:
            result, error = None, None
            try:
                result = work()
            except Exception as raised:  # noqa: BLE001 — told to whoever waits
                error = raised
            if not loop.is_closed():
                loop.call_soon_threadsafe(end, result, error)

        threading.Thread(target=body, name="tool", daemon=True).start()
        return await future
