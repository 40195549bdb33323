"""What people send besides words, as the gateway sees it: read once, and at hand for the questions that follow."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from hub.journal import Stored
from hub.message import Media
from hub.turn import Attachment

Fetch = Callable[[Media], Awaitable[bytes]]
"""Channel.fetch. Raises DeliveryError."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the files of a message: the names of those that were read, how many pictures, how many neither."""

    read: tuple[str, ...] = ()
    pictures: int = 0
    unread: int = 0


class Files(Protocol):
    """Who reads and keeps them."""

    async def take(self, stored: Stored, fetch: Fetch) -> Taken:
        """Fetches and reads the files of this message and keeps their words; the same again at another attempt.

        Raises NotStored.
        """
        ...

    async def recall(self, stored: Stored) -> tuple[Attachment, ...]:
        """The files at hand for this message: its sender's, in its conversation, newest last."""
        ...


class NoFiles:
    """Reads none."""

    async def take(self, stored: Stored, fetch: Fetch) -> Taken:
        return Taken()

    async def recall(self, stored: Stored) -> tuple[Attachment, ...]:
        return ()
