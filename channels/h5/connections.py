"""Open connections: so many for each address and visitor, and all of them ended when the hub stops.

Counted in each replica by itself: what is bounded is this process's memory and sockets.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from channels.h5.protocol import Fault
from hub.errors import NotStored

End = Callable[[], Awaitable[object]]


class Connections:
    """Who is connected now."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()
        self._ends: set[End] = set()
        self._closed = False

    @contextmanager
    def seat(self, name: str, most: int) -> Iterator[None]:
        """Counts one of at most `most` under this name. Raises Fault when there are so many."""
        if self._taken[name] >= most:
            raise Fault("crowded")
        self._taken[name] += 1
        try:
            yield
        finally:
            self._taken[name] -= 1
            if not self._taken[name]:
                del self._taken[name]

    @contextmanager
    def open(self, end: End) -> Iterator[None]:
        """A connection that `end` ends. Raises NotStored when the hub is stopping."""
        if self._closed:
            raise NotStored("the hub is stopping")
        self._ends.add(end)
        try:
            yield
        finally:
            self._ends.discard(end)

    async def close(self) -> None:
        """Ends all, and takes no new one."""
        self._closed = True
        await asyncio.gather(*(end() for end in list(self._ends)))

    def __len__(self) -> int:
        return len(self._ends)
