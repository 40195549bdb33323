"""The files that people send: their words, kept for a while for the questions of the same person in the same place.

They are no knowledge: nobody else is ever answered from them, and they go with the message that brought them.
"""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, delete, exists, select

from config.sections import FilesSection
from hub.errors import DeliveryError
from hub.files import Fetch, Taken
from hub.journal import Stored
from hub.message import Media
from hub.turn import Attachment
from memory.inbox import ERASED
from memory.store import Store
from memory.tables import INSERTS, files, messages

log = structlog.get_logger()

Read = Callable[[Media, bytes], Awaitable[Attachment | None]]
"""A file and its bytes → what can be read of it; None where nothing can. Raises nothing."""


class KeptFiles:
    """See hub.files.Files. `read` knows the formats; `pictures`: there is a model that takes them."""

    def __init__(
        self,
        store: Store,
        read: Read,
        bounds: FilesSection,
        clock: Callable[[], datetime],
        *,
        pictures: bool = False,
    ) -> None:
        self._store, self._read, self._bounds, self._clock = store, read, bounds, clock
        self._most = {"file": bounds.megabytes << 20} | ({"image": bounds.picture_kilobytes << 10} if pictures else {})
        """The largest of each kind that is read, in bytes."""
        self._places: set[int] | None = None
        """Conversations with files, so that a question where there are none costs nothing."""
        self._loading = asyncio.Lock()

    async def take(self, stored: Stored, fetch: Fetch) -> Taken:
        sent = [part for part in stored.message.parts if isinstance(part, Media) and part.kind in self._most]
        found = [await self._one(part, fetch) for part in sent[: self._bounds.most]]
        read = [file for file in found if file]
        if read:
            await self._keep(stored, read)
        names = tuple(file.name for file in read if file.name)
        return Taken(names, pictures=len(read) - len(names), unread=len(sent) - len(read))

    async def _one(self, part: Media, fetch: Fetch) -> Attachment | None:
        most = self._most[part.kind]
        if part.size and part.size > most:
            return None
        try:
            data = await fetch(part)
        except DeliveryError as error:
            log.info("a file was not fetched", outcome=type(error).__name__, code=error.code)
            return None
        return await self._read(part, data) if len(data) <= most else None

    async def _keep(self, stored: Stored, read: Sequence[Attachment]) -> None:
        now = self._clock()
        rows = [
            {
                "message_id": stored.id,
                "number": number,
                "conversation_id": stored.place,
                "identity_id": select(messages.c.identity_id).where(messages.c.id == stored.id).scalar_subquery(),
                "name": file.name,
                "text": file.text or f"{file.media_type};{b64encode(file.picture).decode()}",
                "kept_at": now,
            }
            for number, file in enumerate(read)
        ]

        def keep(connection: Connection) -> None:
            state = select(messages.c.state).where(messages.c.id == stored.id)
            if connection.execute(state).scalar() in (None, ERASED):  # while it was fetched
                return
            connection.execute(delete(files).where(files.c.kept_at < self._since(now)))
            for row in rows:
                connection.execute(INSERTS[connection.dialect.name](files).values(row).on_conflict_do_nothing())

        await self._store.write(keep)
        (await self._known()).add(stored.place)

    async def recall(self, stored: Stored) -> tuple[Attachment, ...]:
        if stored.place not in await self._known():
            return ()
        mine = exists().where(messages.c.id == stored.id, messages.c.identity_id == files.c.identity_id)
        query = (
            select(files.c.name, files.c.text)
            .where(files.c.conversation_id == stored.place, files.c.kept_at >= self._since(self._clock()), mine)
            .order_by(files.c.id.desc())
            .limit(self._bounds.most)
        )
        rows = await self._store.read(lambda connection: connection.execute(query).all())
        return tuple(_attachment(row.name, row.text) for row in reversed(rows))

    def _since(self, now: datetime) -> datetime:
        return now - timedelta(hours=self._bounds.hours)

    async def _known(self) -> set[int]:
        """Asked of the database once a process."""
        async with self._loading:
            if self._places is None:
                query = select(files.c.conversation_id).distinct()
                rows = await self._store.read(lambda connection: connection.execute(query).scalars().all())
                self._places = set(rows)
            return self._places


def _attachment(name: str, text: str) -> Attachment:
    """A picture has no name."""
    if name:
        return Attachment(name, text)
    form, _, data = text.partition(";")
    return Attachment(picture=b64decode(data), media_type=form)
